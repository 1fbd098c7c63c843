using System.Globalization;
using Darkroom.Data;

namespace Darkroom.Storage;

/// <summary>
/// The keys of all objects. Built only from ids, positions and hashes, never from customer input. An image key contains the hash of
/// the bytes, so a late writer can write the same bytes again or a different object, but cannot change a recorded one. From the second
/// run on it also contains the run, so a late deletion of what an earlier run left behind cannot hit what a later run has stored.
/// </summary>
public static class ObjectKeys
{
    /// <summary>The prefix of everything that belongs to one request, or to an upload that did not become one.</summary>
    public static string Request(RequestId request) => $"requests/{request}/";

    public static string Input(RequestId request) => $"requests/{request}/input.csv";

    public static string Originals(RequestId request) => $"requests/{request}/originals/";

    public static string Images(RequestId request) => $"requests/{request}/images/";

    public static string Original(RequestId request, int run, int row, int position, ReadOnlySpan<byte> sha256, string extension) =>
        Originals(request) + ImageName(run, row, position, sha256, extension);

    public static string Image(RequestId request, int run, int row, int position, ReadOnlySpan<byte> sha256, string extension) =>
        Images(request) + ImageName(run, row, position, sha256, extension);

    /// <summary>Each attempt to write the output has its own key; the commit publishes one of them.</summary>
    public static string Output(RequestId request, int run, long fence) => $"requests/{request}/output-{run}-{fence}.csv";

    /// <summary>
    /// Whether the key is one that <see cref="Original"/> or <see cref="Image"/> creates for this request, and for which place in its
    /// CSV.
    /// </summary>
    public static bool TryReadPlace(RequestId request, string key, out ImagePlace place)
    {
        place = default;
        var folder = new[] { Originals(request), Images(request) }.FirstOrDefault(folder => key.StartsWith(folder, StringComparison.Ordinal));
        if (folder is null || key[folder.Length..].Split('-') is not [var row, var position, _, ..])
            return false;
        if (!int.TryParse(row, NumberStyles.None, CultureInfo.InvariantCulture, out var r)
            || !int.TryParse(position, NumberStyles.None, CultureInfo.InvariantCulture, out var p))
            return false;
        place = new ImagePlace(r, p);
        return true;
    }

    /// <summary>Whether the key is one that <see cref="Output"/> creates for this request.</summary>
    public static bool IsOutput(RequestId request, string key) =>
        key.StartsWith($"requests/{request}/output-", StringComparison.Ordinal) && key.EndsWith(".csv", StringComparison.Ordinal);

    private static string ImageName(int run, int row, int position, ReadOnlySpan<byte> sha256, string extension)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(run, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(row, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(position, 1);
        if (sha256.Length != 32)
            throw new ArgumentException("A SHA-256 hash must have 32 bytes.", nameof(sha256));
        if (extension.Length is 0 or > 5 || !extension.All(char.IsAsciiLetterOrDigit) || extension.Any(char.IsAsciiLetterUpper))
            throw new ArgumentException("An extension must be one to five lower-case letters or digits, without the dot.", nameof(extension));
        return $"{row}-{position}-{Convert.ToHexStringLower(sha256[..8])}{(run == 1 ? "" : $"-{run}")}.{extension}";
    }
}
