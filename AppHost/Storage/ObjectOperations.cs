using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Darkroom.AppHost.Storage;

/// <summary>Operations on a single object.</summary>
internal sealed class ObjectOperations(BucketFolders buckets, TimeProvider time)
{
    private const int BufferBytes = 64 * 1024;
    private static readonly string[] StoredHeaders = ["content-type", "content-disposition", "cache-control", "content-language", "expires"];

    public async Task PutAsync(S3Exchange exchange)
    {
        var path = KeyPath.Object(buckets.Objects(exchange.Target.Bucket), exchange.Target.Key);
        var mustBeNew = exchange.Header("If-None-Match") == "*";
        if (mustBeNew && File.Exists(path))
            throw S3Error.PreconditionFailed();

        using var writer = buckets.BeginWrite();
        var body = await exchange.ReadBodyAsync(writer.Write);
        var metadata = new ObjectMetadata
        {
            ETag = body.ETag,
            LastModified = time.GetUtcNow(),
            Headers = HeadersToStore(exchange.Request.Headers),
            Checksum = body.Checksum,
        };
        if (!writer.Commit(path, metadata, overwrite: !mustBeNew))
            throw S3Error.PreconditionFailed();
        exchange.Response.Headers.ETag = $"\"{body.ETag}\"";
        AddChecksum(exchange.Response, body.Checksum);
    }

    public async Task GetAsync(S3Exchange exchange)
    {
        using var file = ObjectFile.TryOpen(KeyPath.Object(buckets.Objects(exchange.Target.Bucket), exchange.Target.Key)) ?? throw S3Error.NoSuchKey();
        var response = exchange.Response;
        response.Headers.ETag = $"\"{file.Metadata.ETag}\"";
        response.Headers.LastModified = file.Metadata.LastModified.ToString("R", CultureInfo.InvariantCulture);
        Conditions.Check(exchange.Request.Headers, file.Metadata);

        ByteRange? range;
        try
        {
            range = ByteRange.Parse(exchange.Header("Range"), file.Length);
        }
        catch (S3Error)
        {
            response.Headers.ContentRange = $"bytes */{file.Length}";
            throw;
        }

        AddHeaders(exchange, file);
        var part = range ?? new ByteRange(0, file.Length);
        if (range is not null)
        {
            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange = $"bytes {part.Start}-{part.Start + part.Length - 1}/{file.Length}";
        }
        else if (exchange.Header("x-amz-checksum-mode") is not null)
        {
            AddChecksum(response, file.Metadata.Checksum);
        }

        response.ContentLength = part.Length;
        if (!HttpMethods.IsHead(exchange.Request.Method))
            await SendAsync(response, file, part, exchange.Aborted);
    }

    public Task DeleteAsync(S3Exchange exchange)
    {
        buckets.Delete(exchange.Target.Bucket, exchange.Target.Key);
        exchange.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    /// <summary>The request headers that are stored with an object and returned with it.</summary>
    public static Dictionary<string, string> HeadersToStore(IHeaderDictionary headers)
    {
        var stored = new Dictionary<string, string>();
        foreach (var name in StoredHeaders)
            if (headers.TryGetValue(name, out var value))
                stored[name] = value.ToString();
        foreach (var (name, value) in headers)
            if (name.StartsWith("x-amz-meta-", StringComparison.OrdinalIgnoreCase))
                stored[name.ToLowerInvariant()] = value.ToString();

        // aws-chunked is the framing of the request body, not the encoding of the object.
        var encodings = string.Join(", ", headers.ContentEncoding.ToString()
            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Where(encoding => encoding != "aws-chunked"));
        if (encodings.Length > 0)
            stored["content-encoding"] = encodings;
        return stored;
    }

    public static void AddChecksum(HttpResponse response, StoredChecksum? checksum)
    {
        if (checksum is null)
            return;
        response.Headers[Checksum.HeaderPrefix + checksum.Algorithm] = checksum.Value;
        response.Headers["x-amz-checksum-type"] = checksum.Composite ? "COMPOSITE" : "FULL_OBJECT";
    }

    private static void AddHeaders(S3Exchange exchange, ObjectFile file)
    {
        var headers = exchange.Response.Headers;
        foreach (var (name, value) in file.Metadata.Headers)
            headers[name] = value;
        const string overridePrefix = "response-";
        foreach (var (name, value) in exchange.Target.Query)
        {
            if (!name.StartsWith(overridePrefix, StringComparison.Ordinal))
                continue;
            if (value.Any(char.IsControl))
                throw S3Error.InvalidArgument($"{name} is not valid.");
            headers[name[overridePrefix.Length..]] = value;
        }

        if (headers.ContentType.Count == 0)
            headers.ContentType = "binary/octet-stream";
        headers.AcceptRanges = "bytes";
        // Browsers open presigned links directly, so they must not guess another content type.
        headers.XContentTypeOptions = "nosniff";
    }

    private static async Task SendAsync(HttpResponse response, ObjectFile file, ByteRange part, CancellationToken aborted)
    {
        var (offset, left) = (part.Start, part.Length);
        while (left > 0)
        {
            var buffer = response.BodyWriter.GetMemory((int)Math.Min(left, BufferBytes));
            var read = file.Read(buffer.Span[..(int)Math.Min(left, buffer.Length)], offset);
            if (read == 0)
                throw new EndOfStreamException("The file of the object was truncated.");
            response.BodyWriter.Advance(read);
            (offset, left) = (offset + read, left - read);
            var flushed = await response.BodyWriter.FlushAsync(aborted);
            if (flushed.IsCompleted)
                return;
        }
    }
}

/// <summary>The part of an object that a request asks for.</summary>
internal readonly record struct ByteRange(long Start, long Length)
{
    /// <summary>Null if the header is not a valid single range; as in S3, the whole object is then returned.</summary>
    /// <exception cref="S3Error">The range lies entirely outside the object.</exception>
    public static ByteRange? Parse(string? header, long total)
    {
        const string unit = "bytes=";
        if (header is null || !header.StartsWith(unit, StringComparison.Ordinal))
            return null;
        var ends = header[unit.Length..].Split('-');
        if (ends.Length != 2 || !TryParseBound(ends[0], out var first) || !TryParseBound(ends[1], out var last) || (first is null && last is null))
            return null;
        if (last < first)
            return null;

        var start = first ?? Math.Max(0, total - last!.Value);
        var end = first is null ? total - 1 : Math.Min(last ?? long.MaxValue, total - 1);
        return start <= end
            ? new ByteRange(start, end - start + 1)
            : throw new S3Error(416, "InvalidRange", "The requested range is not satisfiable.");
    }

    private static bool TryParseBound(string text, out long? number)
    {
        number = null;
        if (text.Length == 0)
            return true;
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            return false;
        number = value;
        return true;
    }
}
