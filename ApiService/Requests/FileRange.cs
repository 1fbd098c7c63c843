using Microsoft.Net.Http.Headers;

namespace Darkroom.Api.Requests;

/// <summary>The part of a file to send: the offsets of its first and last byte, both inclusive.</summary>
internal readonly record struct FileRange(long First, long Last)
{
    public long Length => Last - First + 1;

    /// <summary>
    /// The Range header, or null if the whole file is to be sent: the header is missing, is anything other than a single range of bytes,
    /// or If-Range does not match this file.
    /// </summary>
    public static RangeItemHeaderValue? Requested(HttpRequest request, EntityTagHeaderValue tag)
    {
        if (!RangeHeaderValue.TryParse(request.Headers.Range.ToString(), out var range)
            || !range.Unit.Equals("bytes", StringComparison.OrdinalIgnoreCase)
            || range.Ranges.Count != 1)
            return null;

        // A date never matches: these files have ETags only.
        var condition = request.Headers.IfRange;
        var holds = condition.Count == 0
            || (RangeConditionHeaderValue.TryParse(condition.ToString(), out var known)
                && known.EntityTag is { } expected && expected.Compare(tag, useStrongComparison: true));
        return holds ? range.Ranges.Single() : null;
    }

    /// <summary>The requested range within a file of this length, or null if they do not overlap.</summary>
    public static FileRange? Resolve(RangeItemHeaderValue requested, long length)
    {
        // Without a start, the end counts bytes from the end of the file.
        var first = requested.From ?? Math.Max(0, length - requested.To!.Value);
        var last = requested.From is null ? length - 1 : Math.Min(requested.To ?? long.MaxValue, length - 1);
        return first <= last ? new FileRange(first, last) : null;
    }
}
