using System.Globalization;

namespace Darkroom.Webhooks;

/// <summary>Why an attempt failed, in our words: what a receiver or its network says is never repeated as an error.
/// Beside these, the egress guard's own codes: <c>forbidden_address</c>, <c>forbidden_port</c>.</summary>
public static class WebhookErrors
{
    /// <summary>The URL is none that a webhook can go to.</summary>
    public const string InvalidUrl = "invalid_url";

    public const string NameNotResolved = "dns_failed";
    public const string ConnectFailed = "connect_failed";
    public const string TlsFailed = "tls_failed";
    public const string Timeout = "timeout";

    /// <summary>The connection ended, or what came back is no HTTP.</summary>
    public const string BadResponse = "bad_response";

    /// <summary>Answered 3xx; redirects are not followed.</summary>
    public const string Redirected = "redirected";

    /// <summary>Answered anything else but 2xx: <c>http_500</c>.</summary>
    public static string Http(int status) => string.Create(CultureInfo.InvariantCulture, $"http_{status}");
}
