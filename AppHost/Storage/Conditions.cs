using Microsoft.AspNetCore.Http;

namespace Darkroom.AppHost.Storage;

/// <summary>HTTP's conditional headers, in the order of precedence that RFC 9110 gives them.</summary>
internal static class Conditions
{
    /// <exception cref="S3Error">304 or 412.</exception>
    public static void Check(IHeaderDictionary headers, ObjectMetadata metadata)
    {
        if (headers.IfMatch.Count > 0)
        {
            if (!Names(headers.IfMatch.ToString(), metadata.ETag)) throw S3Error.PreconditionFailed();
        }
        else if (Date(headers.IfUnmodifiedSince.ToString()) is { } unmodified && Seconds(metadata.LastModified) > unmodified)
        {
            throw S3Error.PreconditionFailed();
        }

        if (headers.IfNoneMatch.Count > 0)
        {
            if (Names(headers.IfNoneMatch.ToString(), metadata.ETag)) throw NotModified();
        }
        else if (Date(headers.IfModifiedSince.ToString()) is { } modified && Seconds(metadata.LastModified) <= modified)
        {
            throw NotModified();
        }
    }

    private static bool Names(string header, string etag) =>
        header.Split(',', StringSplitOptions.TrimEntries).Any(one => one == "*" || one.Trim('"') == etag);

    private static DateTimeOffset? Date(string header) =>
        DateTimeOffset.TryParseExact(header, "R", System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal, out var date)
            ? date
            : null;

    // HTTP's dates have no fractions.
    private static DateTimeOffset Seconds(DateTimeOffset time) => time.AddTicks(-(time.Ticks % TimeSpan.TicksPerSecond));

    private static S3Error NotModified() => new(StatusCodes.Status304NotModified, "NotModified", "Not modified.");
}
