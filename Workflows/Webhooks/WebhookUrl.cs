using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Darkroom.Webhooks;

/// <summary>Checks the syntax of a receiver's URL. The address it resolves to is checked when connecting.</summary>
public static class WebhookUrl
{
    /// <summary>Longest URL accepted, in characters after escaping; it must fit into an index entry.</summary>
    public const int MaxLength = 2_560;

    /// <summary>Parses an absolute http or https URL without user info. The result is the URL that is stored and called.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out Uri? url)
    {
        url = null;
        if (string.IsNullOrWhiteSpace(text) || text.Length > MaxLength || text.Any(char.IsControl))
            return false;
        if (!Uri.TryCreate(text.Trim(), UriKind.Absolute, out var parsed))
            return false;
        if (parsed.Scheme != Uri.UriSchemeHttp && parsed.Scheme != Uri.UriSchemeHttps)
            return false;
        if (parsed.UserInfo.Length > 0 || parsed.IdnHost.Length == 0 || parsed.AbsoluteUri.Length > MaxLength)
            return false;
        url = parsed;
        return true;
    }

    /// <summary>Identifies a receiver by host and port: one slow or dead host is one receiver, however many URLs point to it.</summary>
    public static string Receiver(Uri url) =>
        string.Create(CultureInfo.InvariantCulture, $"{url.IdnHost.TrimEnd('.').ToLowerInvariant()}:{url.Port}");
}
