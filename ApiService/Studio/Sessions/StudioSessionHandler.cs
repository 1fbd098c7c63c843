using System.Security.Claims;
using System.Text.Encodings.Web;
using Darkroom.Api.Access;
using Darkroom.Api.Problems;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Darkroom.Api.Studio.Sessions;

/// <summary>Believes the cookie of a browser that is signed in to Studio, unless the call could be the work of another site.</summary>
internal sealed class StudioSessionHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory loggers,
    UrlEncoder encoder,
    StudioSessionStore sessions) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    private static readonly ApiProblem Ended = new(StatusCodes.Status401Unauthorized, "session_ended", "The sign-in has ended.")
    {
        Detail = "Sign in to Studio again.",
    };

    private static readonly ApiProblem Foreign = new(StatusCodes.Status403Forbidden, "foreign_origin", "This call did not come from Studio's own page.")
    {
        Detail = "Programs send an API key in place of a cookie: Authorization: Bearer <key>.",
    };

    private static readonly ApiProblem InsufficientScope = new(StatusCodes.Status403Forbidden, "insufficient_scope", "This sign-in may not do that.")
    {
        Detail = "The API key that it came from lacks the scope, such as workflows:edit for changes.",
    };

    private bool _foreign;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Request.Cookies[StudioSessionDefaults.Cookie] is not { Length: > 0 and <= 100 } id) return AuthenticateResult.NoResult();
        if (!SameOrigin.Proven(Request))
        {
            _foreign = true;
            return AuthenticateResult.Fail("The call may come from another site.");
        }

        // A page that asks whether its sign-in still lasts must not make it last.
        var use = !Request.Path.StartsWithSegments("/studio/session", StringComparison.OrdinalIgnoreCase);
        return await sessions.FindAsync(id, use, Context.RequestAborted).WaitAsync(Context.RequestAborted) is { } session
            ? AuthenticateResult.Success(Ticket(session))
            : AuthenticateResult.Fail("The session has ended.");
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        await HandleAuthenticateOnceSafeAsync();
        await (_foreign ? Foreign : Ended).ExecuteAsync(Context);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => InsufficientScope.ExecuteAsync(Context);

    private AuthenticationTicket Ticket(StudioSession session)
    {
        var identity = new ClaimsIdentity(Scheme.Name, ApiKeyDefaults.OwnerNameClaim, roleType: null);
        identity.AddClaim(new Claim(ApiKeyDefaults.OwnerClaim, session.Owner.ToString()));
        identity.AddClaim(new Claim(ApiKeyDefaults.OwnerNameClaim, session.OwnerName));
        identity.AddClaim(new Claim(ApiKeyDefaults.PrefixClaim, session.KeyPrefix));
        identity.AddClaims(session.Scopes.Select(scope => new Claim(ApiKeyDefaults.ScopeClaim, scope)));
        // A hub closes its connections by this.
        return new AuthenticationTicket(new ClaimsPrincipal(identity), new AuthenticationProperties { ExpiresUtc = session.ExpiresAt }, Scheme.Name);
    }
}
