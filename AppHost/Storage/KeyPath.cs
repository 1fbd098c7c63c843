using System.Globalization;
using System.Text;

namespace Darkroom.AppHost.Storage;

/// <summary>
/// Maps keys to file paths and back. A key is split at its slashes. Each segment becomes a file name that starts with a marker
/// (<c>+</c> folder, <c>=</c> object, <c>~</c> the first part of a segment too long for one name) and contains only lower-case letters,
/// digits, <c>-</c>, <c>_</c> and escapes. So no key can escape the root, no object can collide with a folder, and keys that differ
/// only in case stay distinct on case-insensitive file systems.
/// </summary>
internal static class KeyPath
{
    public const char FolderMarker = '+';
    public const char ObjectMarker = '=';
    public const char LongMarker = '~';

    // File systems allow 255 bytes. A segment that reaches this length is always split at the same place, so split and unsplit names never mix.
    private const int MaxNameLength = 200;

    /// <summary>The path of the object's file.</summary>
    public static string Object(string root, string key)
    {
        var path = new StringBuilder(root);
        var start = AppendFolders(path, key);
        AppendSegment(path, key.AsSpan(start), ObjectMarker);
        return path.ToString();
    }

    /// <summary>The folder that contains all keys with this prefix, which must be empty or end in a slash.</summary>
    public static string Folder(string root, string prefix)
    {
        var path = new StringBuilder(root);
        AppendFolders(path, prefix);
        return path.ToString();
    }

    /// <summary>The bytes that a file name encodes, without its marker.</summary>
    public static string Decode(ReadOnlySpan<char> name)
    {
        var bytes = new StringBuilder(name.Length);
        for (var i = 1; i < name.Length; i++)
        {
            if (name[i] == '%')
            {
                bytes.Append((char)byte.Parse(name.Slice(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                i += 2;
            }
            else
            {
                bytes.Append(name[i]);
            }
        }

        return bytes.ToString();
    }

    /// <returns>The index at which the last segment starts.</returns>
    private static int AppendFolders(StringBuilder path, string key)
    {
        var start = 0;
        while (key.IndexOf('/', start) is >= 0 and var slash)
        {
            AppendSegment(path, key.AsSpan(start, slash - start), FolderMarker);
            start = slash + 1;
        }

        return start;
    }

    private static void AppendSegment(StringBuilder path, ReadOnlySpan<char> segment, char marker)
    {
        var name = new StringBuilder(segment.Length + 8);
        foreach (var b in segment)
        {
            if (char.IsAsciiLetterLower(b) || char.IsAsciiDigit(b) || b is '-' or '_')
                name.Append(b);
            else
                name.Append('%').Append(((int)b).ToString("x2", CultureInfo.InvariantCulture));

            if (name.Length < MaxNameLength)
                continue;
            path.Append(Path.DirectorySeparatorChar).Append(LongMarker).Append(name);
            name.Clear();
        }

        path.Append(Path.DirectorySeparatorChar).Append(marker).Append(name);
    }
}

/// <summary>
/// Inside this endpoint, a key is a string with one char per byte of its UTF-8 encoding. An ordinal comparison then gives the
/// byte order in which S3 lists keys, which comparing UTF-16 strings does not.
/// </summary>
internal static class KeyBytes
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static string From(string text) => IsAscii(text) ? text : Encoding.Latin1.GetString(Utf8.GetBytes(text));

    public static string ToText(string bytes) => IsAscii(bytes) ? bytes : Utf8.GetString(Encoding.Latin1.GetBytes(bytes));

    private static bool IsAscii(string text) => System.Text.Ascii.IsValid(text);
}
