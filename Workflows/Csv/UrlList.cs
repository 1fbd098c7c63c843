using System.Buffers;
using System.Text.RegularExpressions;

namespace Darkroom.Csv;

/// <summary>
/// The grammar of an input cell with image URLs. URLs are separated by line breaks, by a comma followed by white space, or by a comma
/// followed by <c>scheme://</c>. White space around a URL is ignored, and so is a trailing comma or line break. Any other comma is part
/// of the
/// URL, unless the text around it looks like two URLs: then the list is ambiguous, and we do not guess.
/// </summary>
internal static partial class UrlList
{
    private static readonly SearchValues<char> Stops = SearchValues.Create(",\r\n");
    private static readonly SearchValues<char> SchemeCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+.-");
    private static readonly string[] ImageExtensions =
        [".jpg", ".jpeg", ".jfif", ".png", ".gif", ".webp", ".tif", ".tiff", ".bmp", ".avif", ".heic", ".heif", ".svg"];

    /// <param name="text">The cell's value, unquoted.</param>
    /// <param name="urls">Cleared, then filled with the ranges of the URLs in <paramref name="text"/>.</param>
    /// <param name="max">Stops after this many URLs.</param>
    /// <param name="fault">Where the problem is.</param>
    public static UrlListFault Split(ReadOnlySpan<char> text, List<Range> urls, int max, out Range fault)
    {
        urls.Clear();
        fault = ..text.Length;
        for (var position = 0; ;)
        {
            var commas = SkipSeparators(text, ref position);
            var isEnd = position == text.Length;
            if (commas > 1 || (commas == 1 && urls.Count == 0))
                return UrlListFault.EmptyUrl;
            if (isEnd)
                return urls.Count == 0 ? UrlListFault.Missing : UrlListFault.None;
            if (urls.Count == max)
                return UrlListFault.TooMany;

            var start = position;
            if (!FindEnd(text, ref position))
            {
                fault = start..position;
                return UrlListFault.Ambiguous;
            }
            var url = start..(start + text[start..position].TrimEnd().Length);
            if (HasSecondUrl(text[url]))
            {
                fault = url;
                return UrlListFault.Ambiguous;
            }
            urls.Add(url);
        }
    }

    private static int SkipSeparators(ReadOnlySpan<char> text, ref int position)
    {
        var commas = 0;
        for (; position < text.Length && (text[position] == ',' || char.IsWhiteSpace(text[position])); position++)
        {
            if (text[position] == ',')
                commas++;
        }
        return commas;
    }

    /// <summary>Moves to the separator that ends the URL at <paramref name="position"/>; false if an earlier comma might be one.</summary>
    private static bool FindEnd(ReadOnlySpan<char> text, ref int position)
    {
        var start = position;
        while (true)
        {
            var stop = text[position..].IndexOfAny(Stops);
            if (stop < 0)
            {
                position = text.Length;
                return true;
            }
            position += stop;
            if (text[position] != ',')
                return true;

            var next = text[(position + 1)..];
            if (next.IsEmpty || next[0] == ',' || char.IsWhiteSpace(next[0]) || StartsWithScheme(next))
                return true;
            if (EndsWithImageExtension(text[start..position]) || LooksLikeHost(next))
            {
                position = FindStop(text, position + 1);
                return false;
            }
            position++;
        }
    }

    private static int FindStop(ReadOnlySpan<char> text, int from) => text[from..].IndexOfAny(Stops) is >= 0 and var stop ? from + stop : text.Length;

    private static bool StartsWithScheme(ReadOnlySpan<char> text)
    {
        var length = text.IndexOfAnyExcept(SchemeCharacters);
        return length > 0 && char.IsAsciiLetter(text[0]) && text[length..].StartsWith("://");
    }

    private static bool EndsWithImageExtension(ReadOnlySpan<char> text)
    {
        var dot = text.LastIndexOf('.');
        if (dot < 0 || text.Length - dot > 5)
            return false;
        foreach (var extension in ImageExtensions)
        {
            if (text[dot..].Equals(extension, StringComparison.OrdinalIgnoreCase))
                return true;
        }
        return false;
    }

    private static bool LooksLikeHost(ReadOnlySpan<char> text) => HostLike().IsMatch(text[..Math.Min(text.Length, 260)]);

    /// <summary>Finds a second scheme after something that people use as a separator but this grammar does not.</summary>
    private static bool HasSecondUrl(ReadOnlySpan<char> url)
    {
        var from = url.IndexOf("://") + 3;
        if (from < 3)
            return false;
        while (url[from..].IndexOf("://") is >= 0 and var next)
        {
            var before = url[..(from + next)];
            var separator = before.LastIndexOfAnyExcept(SchemeCharacters);
            if (separator >= 0 && (before[separator] is ';' or '|' || char.IsWhiteSpace(before[separator])))
                return true;
            from += next + 3;
        }
        return false;
    }

    // //host, www.host, host.tld/path, host.tld:port, 10.0.0.1/path. A plain file name (large.jpg) does not match.
    [GeneratedRegex(@"^(//|www\.|(([a-z0-9_-]+\.)+[a-z]{2,24}|([0-9]{1,3}\.){3}[0-9]{1,3})(/|:[0-9]))", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex HostLike();
}

/// <summary>Why a cell cannot be read as a list of URLs.</summary>
internal enum UrlListFault
{
    None,
    /// <summary>The cell is empty.</summary>
    Missing,
    /// <summary>Two separators with nothing between them.</summary>
    EmptyUrl,
    /// <summary>A comma, semicolon, bar or space that may separate two URLs or belong to one.</summary>
    Ambiguous,
    TooMany,
}
