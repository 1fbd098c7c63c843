using System.Buffers;
using System.Globalization;

namespace Darkroom.Csv;

/// <summary>
/// Checks whether text is a well-formed URL that can be fetched. Whether its host may be called is policy, decided elsewhere.
/// </summary>
internal static class UrlForm
{
    private static readonly SearchValues<char> PlainHost = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-.");
    private static readonly SearchValues<char> PlainRest =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/?%");

    /// <returns>Error code and message; the code is null if nothing is wrong.</returns>
    public static (string? Code, string Message) Check(ReadOnlySpan<char> url, int maxLength)
    {
        if (url.Length > maxLength)
            return (CsvErrorCodes.UrlTooLong, $"This URL is longer than {maxLength} characters. Use a shorter one.");
        if (IsPlain(url))
            return default;
        if (HasUnprintable(url))
            return (CsvErrorCodes.InvalidUrl, "There is a space, a control character or an invisible character inside this URL. Separate URLs by a comma and a space, and encode spaces as %20.");
        if (url.Contains('\\'))
            return (CsvErrorCodes.InvalidUrl, "There is a backslash in this URL, which programs interpret differently. Use / or %5C.");
        return CheckParts(url);
    }

    private static (string? Code, string Message) CheckParts(ReadOnlySpan<char> url)
    {
        var colon = url.IndexOf(':');
        var scheme = url[..Math.Max(colon, 0)];
        var isHttp = scheme.Equals("https", StringComparison.OrdinalIgnoreCase) || scheme.Equals("http", StringComparison.OrdinalIgnoreCase);
        if (!isHttp)
            return HasOtherScheme(scheme, url)
                ? (CsvErrorCodes.UnsupportedScheme, "Only http:// and https:// URLs can be fetched.")
                : (CsvErrorCodes.InvalidUrl, "This is not a URL. Write it in full, beginning with https:// or http://.");
        if (!url[colon..].StartsWith("://"))
            return (CsvErrorCodes.InvalidUrl, "Two slashes must follow the scheme: https://host/path.");

        var authority = url[(colon + 3)..];
        authority = authority[..(authority.IndexOfAny("/?#") is >= 0 and var end ? end : authority.Length)];
        if (authority.Contains('@'))
            return (CsvErrorCodes.UrlHasCredentials, "This URL contains a user name or password. Remove it; use a signed URL instead.");
        return authority.IsEmpty || !HasHost(url)
            ? (CsvErrorCodes.InvalidUrl, "This URL has no valid host or port.")
            : default;
    }

    /// <summary>
    /// True for a real scheme, but not for a host with a port (<c>cdn.example.com:8080/1.jpg</c>) or a drive (<c>C:\1.jpg</c>).
    /// </summary>
    private static bool HasOtherScheme(ReadOnlySpan<char> scheme, ReadOnlySpan<char> url)
    {
        var rest = url[Math.Min(scheme.Length + 1, url.Length)..];
        return scheme.Length > 1 && Uri.CheckSchemeName(scheme.ToString()) && (rest.IsEmpty || !char.IsAsciiDigit(rest[0]));
    }

    private static bool HasHost(ReadOnlySpan<char> url)
    {
        try
        {
            // IdnHost throws for names that have no ASCII form.
            return Uri.TryCreate(url.ToString(), UriKind.Absolute, out var uri) && uri.UserInfo.Length == 0
                && uri.HostNameType is not (UriHostNameType.Unknown or UriHostNameType.Basic) && uri.IdnHost.Length > 0;
        }
        catch (UriFormatException)
        {
            return false;
        }
    }

    private static bool HasUnprintable(ReadOnlySpan<char> url)
    {
        foreach (var c in url)
        {
            if (char.IsControl(c) || char.IsWhiteSpace(c) || char.GetUnicodeCategory(c) == UnicodeCategory.Format)
                return true;
        }
        return false;
    }

    /// <summary>
    /// Fast path for the most common URLs, which avoids creating a <see cref="Uri"/> for each: a lower-case DNS name of ordinary labels,
    /// no port, and nothing after it that could trip the parser.
    /// </summary>
    private static bool IsPlain(ReadOnlySpan<char> url)
    {
        var rest = url.StartsWith("https://") ? url[8..] : url.StartsWith("http://") ? url[7..] : default;
        var end = rest.IndexOfAnyExcept(PlainHost);
        var host = end < 0 ? rest : rest[..end];
        if (host.Length is 0 or > 253 || (end >= 0 && rest[end] is not ('/' or '?')))
            return false;
        if (end >= 0 && rest[end..].ContainsAnyExcept(PlainRest))
            return false;

        var lastLabel = host[(host.LastIndexOf('.') + 1)..];
        if (lastLabel.IsEmpty || !char.IsAsciiLetter(lastLabel[0]))
            return false;
        foreach (var label in host.Split('.'))
        {
            if (!IsPlainLabel(host[label]))
                return false;
        }
        return true;
    }

    private static bool IsPlainLabel(ReadOnlySpan<char> label) =>
        label.Length is > 0 and <= 63 && label[0] != '-' && label[^1] != '-' && !label.StartsWith("xn--");
}
