using System.Security.Claims;
using Darkroom.Access;
using Darkroom.Api.Access;
using Darkroom.Api.Server;
using Microsoft.AspNetCore.Authorization;

namespace Darkroom.Api.Studio.Sessions;

/// <summary><c>/studio/session</c>: begun with an API key, ended by signing out, and asked who is signed in.</summary>
internal static class SessionEndpoints
{
    public static void MapSessions(this IEndpointRouteBuilder routes)
    {
        var session = routes.MapGroup("/studio/session").ExcludeFromDescription();
        session.WithRequestTimeout(ApiServer.QueryTimeout);
        session.MapGet("", Show).RequireAuthorization();
        // By key alone: a session must not beget sessions.
        session.MapPost("", BeginAsync).RequireAuthorization(new AuthorizeAttribute(Scopes.WorkflowsRead) { AuthenticationSchemes = ApiKeyDefaults.Scheme });
        session.MapDelete("", EndAsync).AllowAnonymous();
    }

    private static IResult Show(HttpContext context) => Answer(context);

    private static async Task<IResult> BeginAsync(HttpContext context, StudioSessionStore sessions, CancellationToken cancellationToken)
    {
        if (await sessions.CreateAsync(context.User.FindFirstValue(ApiKeyDefaults.PrefixClaim)!, cancellationToken) is not { } id)
            return Results.Challenge(authenticationSchemes: [ApiKeyDefaults.Scheme]);
        context.Response.Cookies.Append(StudioSessionDefaults.Cookie, id, Cookie(context.Request));
        return Answer(context);
    }

    // Signing out works for everybody: whose session is over already wants to be told nothing else.
    private static async Task<IResult> EndAsync(HttpContext context, StudioSessionStore sessions, CancellationToken cancellationToken)
    {
        if (!SameOrigin.Proven(context.Request)) return Results.Forbid(authenticationSchemes: [StudioSessionDefaults.Scheme]);
        if (context.Request.Cookies[StudioSessionDefaults.Cookie] is { } id) await sessions.EndAsync(id, cancellationToken);
        context.Response.Cookies.Delete(StudioSessionDefaults.Cookie, Cookie(context.Request));
        return Results.NoContent();
    }

    private static IResult Answer(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        return Results.Json(new SessionView(
            context.User.FindFirstValue(ApiKeyDefaults.OwnerNameClaim)!,
            context.User.HasScope(Scopes.WorkflowsRead),
            context.User.HasScope(Scopes.WorkflowsEdit)));
    }

    private static CookieOptions Cookie(HttpRequest request) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Strict,
        // What ends TLS before us may not say so; the browser's own word does.
        Secure = request.IsHttps || request.Headers.Origin.ToString().StartsWith("https:", StringComparison.OrdinalIgnoreCase),
        Path = "/",
        IsEssential = true,
    };

    private sealed record SessionView(string Owner, bool CanRead, bool CanEdit);
}
