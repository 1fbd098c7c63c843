using Microsoft.Net.Http.Headers;

namespace Darkroom.Api.Requests;

/// <summary>The part of a file that a download asks for: its first and its last byte.</summary>
internal readonly record struct FileRange(long First, long Last)
{
    public long Length => Last - First + 1;

    /// <summary>
    /// What the Range header asks for. Null where the whole file is meant: without the header, with one that asks for anything but a
    /// single range of bytes, and when If-Range names another file than this one.
    /// </summary>
    public static RangeItemHeaderValue? Asked(HttpRequest request, EntityTagHeaderValue tag)
    {
        if (!RangeHeaderValue.TryParse(request.Headers.Range.ToString(), out var range)
            || !range.Unit.Equals("bytes", StringComparison.OrdinalIgnoreCase)
            || range.Ranges.Count != 1)
            return null;

        // A date never matches: these files are known by their tags alone.
        var condition = request.Headers.IfRange;
        var holds = condition.Count == 0
            || (RangeConditionHeaderValue.TryParse(condition.ToString(), out var known)
                && known.EntityTag is { } expected && expected.Compare(tag, useStrongComparison: true));
        return holds ? range.Ranges.Single() : null;
    }

    /// <summary>The part of a file of this length. Null if nothing of what is asked for lies within it.</summary>
    public static FileRange? Within(RangeItemHeaderValue asked, long length)
    {
        // Without a first byte, the other number counts bytes from the end.
        var first = asked.From ?? Math.Max(0, length - asked.To!.Value);
        var last = asked.From is null ? length - 1 : Math.Min(asked.To ?? long.MaxValue, length - 1);
        return first <= last ? new FileRange(first, last) : null;
    }
}
