using System.Security.Claims;
using System.Text.Encodings.Web;
using Darkroom.Api.Access;
using Darkroom.Api.Problems;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Darkroom.Api.Studio.Sessions;

public static class StudioSessionDefaults
{
    /// <summary>The authentication scheme of Studio's session cookie.</summary>
    public const string Scheme = "StudioSession";

    /// <summary>The scheme that selects: a Studio session where <see cref="Applies"/> holds, otherwise an API key.</summary>
    public const string KeyOrSession = "KeyOrStudioSession";

    public const string Cookie = "darkroom-studio";

    // The cookie is ignored everywhere else: the rest of the API accepts only keys, and Studio's static files need no database query.
    private static readonly PathString[] Paths = ["/elsa", "/studio/session", "/studio/workflows"];

    internal static bool Applies(HttpRequest request) =>
        request.Headers.Authorization.Count == 0
        && request.Cookies.ContainsKey(Cookie)
        && Paths.Any(path => request.Path.StartsWithSegments(path, StringComparison.OrdinalIgnoreCase));
}

/// <summary>Authenticates Studio's session cookie, and rejects calls that another site may have caused.</summary>
internal sealed class StudioSessionHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory loggers,
    UrlEncoder encoder,
    StudioSessionStore sessions) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    private static readonly ApiProblem Ended = new(StatusCodes.Status401Unauthorized, "session_ended", "Your session has ended.")
    {
        Detail = "Sign in to Studio again.",
    };

    private static readonly ApiProblem Foreign = new(StatusCodes.Status403Forbidden, "foreign_origin", "This call did not come from Studio's own page.")
    {
        Detail = "Programs should send an API key instead of a cookie: Authorization: Bearer <key>.",
    };

    private static readonly ApiProblem InsufficientScope = new(StatusCodes.Status403Forbidden, "insufficient_scope", "You are not allowed to do that.")
    {
        Detail = "The API key you signed in with lacks the scope: changes need workflows:edit.",
    };

    private bool _foreign;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Request.Cookies[StudioSessionDefaults.Cookie] is not { Length: > 0 and <= 100 } id)
            return AuthenticateResult.NoResult();
        if (!SameOrigin.Allows(Request))
        {
            _foreign = true;
            return AuthenticateResult.Fail("The call may come from another site.");
        }

        // A page that polls whether it is still signed in must not keep the session alive.
        var extend = !Request.Path.StartsWithSegments("/studio/session", StringComparison.OrdinalIgnoreCase);
        return await sessions.FindAsync(id, extend, Context.RequestAborted).WaitAsync(Context.RequestAborted) is { } session
            ? AuthenticateResult.Success(CreateTicket(session))
            : AuthenticateResult.Fail("The session has ended.");
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        await HandleAuthenticateOnceSafeAsync();
        await (_foreign ? Foreign : Ended).ExecuteAsync(Context);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => InsufficientScope.ExecuteAsync(Context);

    private AuthenticationTicket CreateTicket(StudioSession session)
    {
        var identity = new ClaimsIdentity(Scheme.Name, ApiKeyDefaults.OwnerNameClaim, roleType: null);
        identity.AddClaim(new Claim(ApiKeyDefaults.OwnerClaim, session.Owner.ToString()));
        identity.AddClaim(new Claim(ApiKeyDefaults.OwnerNameClaim, session.OwnerName));
        identity.AddClaim(new Claim(ApiKeyDefaults.PrefixClaim, session.KeyPrefix));
        identity.AddClaims(session.Scopes.Select(scope => new Claim(ApiKeyDefaults.ScopeClaim, scope)));
        // SignalR closes the hub's connections at this time.
        return new AuthenticationTicket(new ClaimsPrincipal(identity), new AuthenticationProperties { ExpiresUtc = session.ExpiresAt }, Scheme.Name);
    }
}
