using System.Net;
using Darkroom.Egress;
using Darkroom.Webhooks;

namespace Darkroom.Api.Requests.Uploads;

/// <summary>
/// Validates a webhook URL as written, including an address that it spells out. What a host name resolves to is checked when
/// connecting, because DNS can change in the meantime.
/// </summary>
internal sealed class WebhookUrlRule(EgressGuard guard, bool allowHttp, bool allowLoopbackHttp)
{
    public const int MaxLength = 2048;

    /// <summary>Describes what is wrong with the URL, or null.</summary>
    public string? Validate(string text)
    {
        if (text.Length > MaxLength)
            return $"It is longer than {MaxLength} characters.";
        // Uri would silently escape or drop these characters; a receiver's logs or headers would not.
        if (text.Any(c => char.IsControl(c) || char.IsWhiteSpace(c)))
            return "It contains whitespace or control characters.";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
            return "It must be an absolute https:// URL.";
        if (url.Host.Length == 0)
            return "It has no host.";
        if (url.UserInfo.Length > 0)
            return "It must not contain a user name or password; verify our signature instead.";
        if (url.Fragment.Length > 0)
            return "It must not have a fragment (#...), because fragments are never sent.";
        if (!WebhookUrl.TryParse(text, out _))
            return "It is too long after escaping.";
        if (url.Scheme == "http" && !allowHttp && !(allowLoopbackHttp && IsLoopback(url)))
            return "It must be https.";
        return guard.CheckUri(url)?.Message;
    }

    private static bool IsLoopback(Uri url) =>
        url.IdnHost == "localhost" || (IPAddress.TryParse(url.IdnHost.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
