using System.Globalization;

namespace Darkroom.Webhooks;

/// <summary>Why an attempt failed. These are always our own codes, never text from the receiver or the network. The egress guard adds
/// <c>forbidden_address</c> and <c>forbidden_port</c>.</summary>
public static class WebhookErrors
{
    /// <summary>The URL is not a valid webhook address.</summary>
    public const string InvalidUrl = "invalid_url";

    public const string NameNotResolved = "dns_failed";
    public const string ConnectFailed = "connect_failed";
    public const string TlsFailed = "tls_failed";
    public const string Timeout = "timeout";

    /// <summary>The connection was closed, or the response is not valid HTTP.</summary>
    public const string BadResponse = "bad_response";

    /// <summary>The response was a 3xx; redirects are not followed.</summary>
    public const string Redirected = "redirected";

    /// <summary>The response was any other non-2xx status, such as <c>http_500</c>.</summary>
    public static string Http(int status) => string.Create(CultureInfo.InvariantCulture, $"http_{status}");
}
