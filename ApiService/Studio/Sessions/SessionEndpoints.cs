using System.Security.Claims;
using Darkroom.Access;
using Darkroom.Api.Access;
using Darkroom.Api.Server;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;

namespace Darkroom.Api.Studio.Sessions;

/// <summary><c>/studio/session</c>: sign in with an API key, sign out, and ask who is signed in.</summary>
internal static class SessionEndpoints
{
    /// <summary>Lets scope policies accept a Studio session as well as an API key. Call it after <c>AddAccess</c>: it replaces the default scheme.</summary>
    public static IServiceCollection AddStudioSessions(this IServiceCollection services)
    {
        services.AddSingleton<StudioSessionStore>();
        services.AddAuthentication(StudioSessionDefaults.KeyOrSession)
            .AddScheme<AuthenticationSchemeOptions, StudioSessionHandler>(StudioSessionDefaults.Scheme, configureOptions: null)
            .AddPolicyScheme(StudioSessionDefaults.KeyOrSession, displayName: null, policy =>
                policy.ForwardDefaultSelector = context =>
                    StudioSessionDefaults.Applies(context.Request) ? StudioSessionDefaults.Scheme : ApiKeyDefaults.Scheme);
        return services;
    }

    public static void MapSessions(this IEndpointRouteBuilder routes)
    {
        var session = routes.MapGroup("/studio/session").ExcludeFromDescription();
        session.WithRequestTimeout(ApiServer.QueryTimeout);
        session.MapGet("", ShowSession).RequireAuthorization();
        // API keys only: a session must not be able to create another.
        session.MapPost("", SignInAsync).RequireAuthorization(new AuthorizeAttribute(Scopes.WorkflowsRead) { AuthenticationSchemes = ApiKeyDefaults.Scheme });
        session.MapDelete("", SignOutAsync).AllowAnonymous();
    }

    private static async Task<IResult> SignInAsync(HttpContext context, StudioSessionStore sessions, CancellationToken cancellationToken)
    {
        if (await sessions.CreateAsync(context.User.FindFirstValue(ApiKeyDefaults.PrefixClaim)!, cancellationToken) is not { } id)
            return Results.Challenge(authenticationSchemes: [ApiKeyDefaults.Scheme]);
        context.Response.Cookies.Append(StudioSessionDefaults.Cookie, id, Cookie(context.Request));
        return ShowSession(context);
    }

    // Anonymous, so that signing out succeeds even if the session has already ended.
    private static async Task<IResult> SignOutAsync(HttpContext context, StudioSessionStore sessions, CancellationToken cancellationToken)
    {
        if (!SameOrigin.Allows(context.Request))
            return Results.Forbid(authenticationSchemes: [StudioSessionDefaults.Scheme]);
        if (context.Request.Cookies[StudioSessionDefaults.Cookie] is { } id)
            await sessions.EndAsync(id, cancellationToken);
        context.Response.Cookies.Delete(StudioSessionDefaults.Cookie, Cookie(context.Request));
        return Results.NoContent();
    }

    private static IResult ShowSession(HttpContext context) => Results.Json(new SessionView(
        context.User.FindFirstValue(ApiKeyDefaults.OwnerNameClaim)!,
        context.User.HasScope(Scopes.WorkflowsRead),
        context.User.HasScope(Scopes.WorkflowsEdit)));

    private static CookieOptions Cookie(HttpRequest request) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Strict,
        // A proxy that terminates TLS may not tell us; the browser's Origin header does.
        Secure = request.IsHttps || request.Headers.Origin.ToString().StartsWith("https:", StringComparison.OrdinalIgnoreCase),
        Path = "/",
        IsEssential = true,
    };

    private sealed record SessionView(string Owner, bool CanRead, bool CanEdit);
}
