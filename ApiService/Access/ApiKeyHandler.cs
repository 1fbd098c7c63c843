using System.Security.Claims;
using System.Text.Encodings.Web;
using Darkroom.Access;
using Darkroom.Api.Problems;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Darkroom.Api.Access;

/// <summary>
/// Reads <c>Authorization: Bearer &lt;key&gt;</c> or <c>Authorization: ApiKey &lt;key&gt;</c>. Everything it refuses is problem+json, and a source that sends
/// one bad key after the other is put off without looking at them any more.
/// </summary>
internal sealed partial class ApiKeyHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory loggers,
    UrlEncoder encoder,
    ApiKeyStore keys,
    BadKeyLimiter limiter) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    private static readonly string[] Schemes = ["Bearer", "ApiKey"];

    private static readonly ApiProblem KeyRequired = new(StatusCodes.Status401Unauthorized, "key_required", "An API key is required.")
    {
        Detail = "Send it as: Authorization: Bearer <key>.",
    };

    private static readonly ApiProblem InvalidKey = new(StatusCodes.Status401Unauthorized, "invalid_key", "The API key is not valid.")
    {
        Detail = "It is unknown, mistyped or revoked.",
    };

    private static readonly ApiProblem TooManyBadKeys = new(StatusCodes.Status429TooManyRequests, "too_many_bad_keys", "Too many bad API keys were sent.")
    {
        Detail = "Wait, then send the right one.",
    };

    private static readonly ApiProblem InsufficientScope =
        new(StatusCodes.Status403Forbidden, "insufficient_scope", "This API key may not do that.");

    private bool _keyGiven;
    private TimeSpan? _wait;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (PresentedKey() is not { } text) return AuthenticateResult.NoResult();
        _keyGiven = true;
        var source = Context.Connection.RemoteIpAddress;

        // A key that is in use here keeps working, whatever its neighbours behind the same address send.
        if (!keys.WasRecentlyVerified(text) && limiter.SourceWait(source) is { } wait)
        {
            _wait = wait;
            return AuthenticateResult.Fail("Too many bad keys.");
        }

        // WaitAsync: a database that hangs is told of at once, however long its driver takes to give the query up.
        if (await keys.VerifyAsync(text, Context.RequestAborted).WaitAsync(Context.RequestAborted) is { } key) return AuthenticateResult.Success(Ticket(key));

        // A prefix is public: its limit is never a reason to refuse the right key, or anyone could lock its holder out.
        var prefix = ApiKeyText.Prefix(text);
        _wait = limiter.Note(source, prefix);
        LogBadKey(prefix, source);
        return AuthenticateResult.Fail("The key is not valid.");
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        // The outcome is made once a request; a challenge without it would not know about the limit.
        await HandleAuthenticateOnceSafeAsync();
        if (_wait is { } wait)
        {
            await (TooManyBadKeys with { RetryAfter = wait }).ExecuteAsync(Context);
            return;
        }

        Response.Headers.Append(HeaderNames.WWWAuthenticate, _keyGiven ? "Bearer realm=\"darkroom\", error=\"invalid_token\"" : "Bearer realm=\"darkroom\"");
        Response.Headers.Append(HeaderNames.WWWAuthenticate, "ApiKey realm=\"darkroom\"");
        await (_keyGiven ? InvalidKey : KeyRequired).ExecuteAsync(Context);
    }

    protected override async Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        var scope = MissingScope();
        Response.Headers.WWWAuthenticate = $"Bearer realm=\"darkroom\", error=\"insufficient_scope\", scope=\"{scope}\"";
        await (InsufficientScope with { Detail = $"This needs an API key with the scope {scope}." }).ExecuteAsync(Context);
    }

    private string MissingScope() =>
        Context.GetEndpoint()?.Metadata.GetOrderedMetadata<IAuthorizeData>()
            .Select(data => data.Policy)
            .OfType<string>()
            .FirstOrDefault(scope => !Context.User.HasScope(scope)) ?? Scopes.Admin;

    private string? PresentedKey()
    {
        var header = Request.Headers.Authorization.ToString();
        var blank = header.IndexOf(' ', StringComparison.Ordinal);
        return blank > 0 && Schemes.Contains(header[..blank], StringComparer.OrdinalIgnoreCase) ? header[blank..].Trim() : null;
    }

    private AuthenticationTicket Ticket(VerifiedApiKey key)
    {
        var identity = new ClaimsIdentity(Scheme.Name, ApiKeyDefaults.OwnerNameClaim, roleType: null);
        identity.AddClaim(new Claim(ApiKeyDefaults.OwnerClaim, key.Owner.ToString()));
        identity.AddClaim(new Claim(ApiKeyDefaults.OwnerNameClaim, key.OwnerName));
        identity.AddClaim(new Claim(ApiKeyDefaults.PrefixClaim, key.Prefix));
        identity.AddClaims(key.Scopes.Select(scope => new Claim(ApiKeyDefaults.ScopeClaim, scope)));
        return new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme.Name);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A bad API key (prefix {Prefix}) came from {Source}")]
    private partial void LogBadKey(string? prefix, System.Net.IPAddress? source);
}
