using System.Net;
using Darkroom.Webhooks;

namespace Darkroom.Api.Requests.Uploads;

/// <summary>
/// The form that a webhook's URL must have. Where it leads is checked when it is called, at the connected address: names can point
/// elsewhere by then.
/// </summary>
internal sealed class WebhookUrlRule(bool allowHttp, bool allowLoopbackHttp)
{
    public const int MaxLength = 2048;

    /// <summary>What is wrong with it, or null.</summary>
    public string? Validate(string text)
    {
        if (text.Length > MaxLength) return $"It is longer than {MaxLength} characters.";
        // Uri would quietly escape or drop these; a receiver's log or header line would not.
        if (text.Any(c => char.IsControl(c) || char.IsWhiteSpace(c))) return "It contains blanks or control characters.";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https")) return "It must be an absolute https:// URL.";
        if (url.Host.Length == 0) return "It names no host.";
        if (url.UserInfo.Length > 0) return "It must not carry a user name or password; verify our signature instead.";
        if (url.Fragment.Length > 0) return "It must not have a fragment (#...), which is never sent.";
        if (!WebhookUrl.TryParse(text, out _)) return "It is too long once it is escaped.";
        if (url.Scheme == "http" && !allowHttp && !(allowLoopbackHttp && IsLoopback(url))) return "It must be https.";
        return null;
    }

    private static bool IsLoopback(Uri url) =>
        url.IdnHost == "localhost" || (IPAddress.TryParse(url.IdnHost.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
