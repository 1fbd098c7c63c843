using System.Security.Claims;
using System.Text.Encodings.Web;
using Darkroom.Access;
using Darkroom.Api.Problems;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Darkroom.Api.Access;

public static class ApiKeyDefaults
{
    public const string Scheme = "ApiKey";
    public const string OwnerClaim = "owner_id";
    public const string OwnerNameClaim = "owner_name";
    public const string ScopeClaim = "scope";
    public const string PrefixClaim = "key_prefix";
}

/// <summary>
/// Authenticates <c>Authorization: Bearer &lt;key&gt;</c> or <c>Authorization: ApiKey &lt;key&gt;</c>. Every rejection is problem+json. An address that keeps
/// sending bad keys gets 429 for further ones; a valid key always works, because many clients may share the address.
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

    private static readonly ApiProblem TooManyBadKeys = new(StatusCodes.Status429TooManyRequests, "too_many_bad_keys", "Too many invalid API keys.")
    {
        Detail = "Wait, then try again with a valid key.",
    };

    private static readonly ApiProblem InsufficientScope =
        new(StatusCodes.Status403Forbidden, "insufficient_scope", "This API key is not allowed to do that.");

    private bool _keyGiven;
    private TimeSpan? _retryAfter;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (KeyFromHeader() is not { } text)
            return AuthenticateResult.NoResult();
        _keyGiven = true;
        // WaitAsync returns as soon as the request times out; cancelling the query itself takes as long as the driver needs to reach a hung server.
        if (await keys.VerifyAsync(text, Context.RequestAborted).WaitAsync(Context.RequestAborted) is { } key)
            return AuthenticateResult.Success(CreateTicket(key));

        // Limited only now that the key has turned out to be bad: otherwise anyone behind the same address, or who knows the public
        // prefix, could lock its owner out.
        var (source, prefix) = (Context.Connection.RemoteIpAddress, ApiKeyText.Prefix(text));
        _retryAfter = limiter.Note(source, prefix);
        // A flood of bad keys must not flood the log.
        if (_retryAfter is null)
            LogBadKey(prefix, source);
        return AuthenticateResult.Fail("The key is not valid.");
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        // Authentication may not have run yet; it runs once per request and sets _retryAfter and _keyGiven.
        await HandleAuthenticateOnceSafeAsync();
        if (_retryAfter is { } retryAfter)
        {
            await (TooManyBadKeys with { RetryAfter = retryAfter }).ExecuteAsync(Context);
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

    private string? KeyFromHeader()
    {
        var header = Request.Headers.Authorization.ToString();
        var space = header.IndexOf(' ', StringComparison.Ordinal);
        return space > 0 && Schemes.Contains(header[..space], StringComparer.OrdinalIgnoreCase) ? header[space..].Trim() : null;
    }

    private AuthenticationTicket CreateTicket(VerifiedApiKey key)
    {
        var identity = new ClaimsIdentity(Scheme.Name, ApiKeyDefaults.OwnerNameClaim, roleType: null);
        identity.AddClaim(new Claim(ApiKeyDefaults.OwnerClaim, key.Owner.ToString()));
        identity.AddClaim(new Claim(ApiKeyDefaults.OwnerNameClaim, key.OwnerName));
        identity.AddClaim(new Claim(ApiKeyDefaults.PrefixClaim, key.Prefix));
        identity.AddClaims(key.Scopes.Select(scope => new Claim(ApiKeyDefaults.ScopeClaim, scope)));
        return new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme.Name);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Invalid API key with prefix {Prefix} from {Source}")]
    private partial void LogBadKey(string? prefix, System.Net.IPAddress? source);
}
