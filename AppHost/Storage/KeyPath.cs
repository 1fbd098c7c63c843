using System.Globalization;
using System.Text;

namespace Darkroom.AppHost.Storage;

/// <summary>
/// Where an object of a given key lies, and back. A key is cut at its slashes. Each piece becomes a name that starts with a mark
/// (<c>+</c> folder, <c>=</c> object, <c>~</c> the first part of a piece too long for one name) and holds only lower-case letters,
/// digits, <c>-</c>, <c>_</c> and escapes. So no key can name anything outside, no object can collide with a folder, and file
/// systems that fold case keep keys apart.
/// </summary>
internal static class KeyPath
{
    public const char FolderMark = '+';
    public const char ObjectMark = '=';
    public const char LongMark = '~';

    // File systems allow 255 bytes. A piece that reaches this many is always cut here, so what is cut never stands beside what is not.
    private const int LongestName = 200;

    /// <summary>The object's file.</summary>
    public static string Object(string root, string key)
    {
        var path = new StringBuilder(root);
        var start = AppendFolders(path, key);
        AppendPiece(path, key.AsSpan(start), ObjectMark);
        return path.ToString();
    }

    /// <summary>The folder of all keys that start with this prefix, which ends in a slash or is empty.</summary>
    public static string Folder(string root, string prefix)
    {
        var path = new StringBuilder(root);
        AppendFolders(path, prefix);
        return path.ToString();
    }

    /// <summary>The bytes that a name stands for, without its mark.</summary>
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

    /// <returns>Where the last piece starts.</returns>
    private static int AppendFolders(StringBuilder path, string key)
    {
        var start = 0;
        while (key.IndexOf('/', start) is >= 0 and var slash)
        {
            AppendPiece(path, key.AsSpan(start, slash - start), FolderMark);
            start = slash + 1;
        }

        return start;
    }

    private static void AppendPiece(StringBuilder path, ReadOnlySpan<char> piece, char mark)
    {
        var name = new StringBuilder(piece.Length + 8);
        foreach (var b in piece)
        {
            if (char.IsAsciiLetterLower(b) || char.IsAsciiDigit(b) || b is '-' or '_') name.Append(b);
            else name.Append('%').Append(((int)b).ToString("x2", CultureInfo.InvariantCulture));

            if (name.Length < LongestName) continue;
            path.Append(Path.DirectorySeparatorChar).Append(LongMark).Append(name);
            name.Clear();
        }

        path.Append(Path.DirectorySeparatorChar).Append(mark).Append(name);
    }
}
