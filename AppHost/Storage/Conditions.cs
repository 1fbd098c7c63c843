using Microsoft.AspNetCore.Http;

namespace Darkroom.AppHost.Storage;

/// <summary>HTTP's conditional request headers, evaluated in the order that RFC 9110 defines.</summary>
internal static class Conditions
{
    /// <exception cref="S3Error">304 or 412: a condition is not met.</exception>
    public static void Check(IHeaderDictionary headers, ObjectMetadata metadata)
    {
        if (headers.IfMatch.Count > 0)
        {
            if (!Matches(headers.IfMatch.ToString(), metadata.ETag))
                throw S3Error.PreconditionFailed();
        }
        else if (ParseDate(headers.IfUnmodifiedSince.ToString()) is { } unmodified && TruncateToSeconds(metadata.LastModified) > unmodified)
        {
            throw S3Error.PreconditionFailed();
        }

        if (headers.IfNoneMatch.Count > 0)
        {
            if (Matches(headers.IfNoneMatch.ToString(), metadata.ETag))
                throw NotModified();
        }
        else if (ParseDate(headers.IfModifiedSince.ToString()) is { } modified && TruncateToSeconds(metadata.LastModified) <= modified)
        {
            throw NotModified();
        }
    }

    private static bool Matches(string header, string etag) =>
        header.Split(',', StringSplitOptions.TrimEntries).Any(tag => tag == "*" || tag.Trim('"') == etag);

    private static DateTimeOffset? ParseDate(string header) =>
        DateTimeOffset.TryParseExact(header, "R", System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal, out var date)
            ? date
            : null;

    // HTTP dates have no fractional seconds.
    private static DateTimeOffset TruncateToSeconds(DateTimeOffset time) => time.AddTicks(-(time.Ticks % TimeSpan.TicksPerSecond));

    private static S3Error NotModified() => new(StatusCodes.Status304NotModified, "NotModified", "Not modified.");
}
