using System.Globalization;

namespace Darkroom.AppHost.Storage;

/// <summary>The part of an object that is asked for.</summary>
internal readonly record struct ByteRange(long Start, long Length)
{
    /// <summary>Null if the header asks for no single range: then, as in S3, the whole object is meant.</summary>
    /// <exception cref="S3Error">Nothing of it lies within the object.</exception>
    public static ByteRange? Parse(string? header, long total)
    {
        const string unit = "bytes=";
        if (header is null || !header.StartsWith(unit, StringComparison.Ordinal)) return null;
        var ends = header[unit.Length..].Split('-');
        if (ends.Length != 2 || !Number(ends[0], out var first) || !Number(ends[1], out var last) || (first is null && last is null)) return null;
        if (last < first) return null;

        var start = first ?? Math.Max(0, total - last!.Value);
        var end = first is null ? total - 1 : Math.Min(last ?? long.MaxValue, total - 1);
        return start <= end
            ? new ByteRange(start, end - start + 1)
            : throw new S3Error(416, "InvalidRange", "The requested range is not satisfiable.");
    }

    private static bool Number(string text, out long? number)
    {
        number = null;
        if (text.Length == 0) return true;
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)) return false;
        number = value;
        return true;
    }
}
