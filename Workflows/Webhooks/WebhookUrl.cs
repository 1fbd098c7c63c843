using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Darkroom.Webhooks;

/// <summary>What can be a receiver's address, by its text alone. Where it leads is checked when it is connected to.</summary>
public static class WebhookUrl
{
    /// <summary>Longest address taken, characters after escaping. An index holds it whole.</summary>
    public const int MaxLength = 2_560;

    /// <summary>Reads an absolute http or https URL without user info; the result is what is stored, signed for and sent to.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out Uri? url)
    {
        url = null;
        if (string.IsNullOrWhiteSpace(text) || text.Length > MaxLength || text.Any(char.IsControl)) return false;
        if (!Uri.TryCreate(text.Trim(), UriKind.Absolute, out var parsed)) return false;
        if (parsed.Scheme != Uri.UriSchemeHttp && parsed.Scheme != Uri.UriSchemeHttps) return false;
        if (parsed.UserInfo.Length > 0 || parsed.IdnHost.Length == 0 || parsed.AbsoluteUri.Length > MaxLength) return false;
        url = parsed;
        return true;
    }

    /// <summary>What identifies a receiver: one slow or dead host is one receiver, however many addresses name it.</summary>
    public static string Receiver(Uri url) =>
        string.Create(CultureInfo.InvariantCulture, $"{url.IdnHost.TrimEnd('.').ToLowerInvariant()}:{url.Port}");
}
