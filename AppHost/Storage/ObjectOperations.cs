using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Darkroom.AppHost.Storage;

/// <summary>What is asked of a single object.</summary>
internal sealed class ObjectOperations(BucketFolders buckets, TimeProvider time)
{
    private const int Piece = 64 * 1024;
    private static readonly string[] Kept = ["content-type", "content-disposition", "cache-control", "content-language", "expires"];

    public async Task PutAsync(S3Exchange exchange)
    {
        var path = KeyPath.Object(buckets.Objects(exchange.Target.Bucket), exchange.Target.Key);
        var create = exchange.Header("If-None-Match") == "*";
        if (create && File.Exists(path)) throw S3Error.PreconditionFailed();

        using var writer = buckets.BeginWrite();
        var body = await exchange.ReceiveAsync(writer.Write);
        var metadata = new ObjectMetadata
        {
            ETag = body.ETag,
            LastModified = time.GetUtcNow(),
            Headers = KeptHeaders(exchange.Request.Headers),
            Checksum = body.Checksum,
        };
        if (!writer.Commit(path, metadata, overwrite: !create)) throw S3Error.PreconditionFailed();
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
        if (!HttpMethods.IsHead(exchange.Request.Method)) await SendAsync(response, file, part, exchange.Aborted);
    }

    public Task DeleteAsync(S3Exchange exchange)
    {
        buckets.Delete(exchange.Target.Bucket, exchange.Target.Key);
        exchange.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    /// <summary>What a client says of its object and wants to hear again.</summary>
    public static Dictionary<string, string> KeptHeaders(IHeaderDictionary headers)
    {
        var kept = new Dictionary<string, string>();
        foreach (var name in Kept)
            if (headers.TryGetValue(name, out var value)) kept[name] = value.ToString();
        foreach (var (name, value) in headers)
            if (name.StartsWith("x-amz-meta-", StringComparison.OrdinalIgnoreCase)) kept[name.ToLowerInvariant()] = value.ToString();

        // The body's framing is not the object's encoding.
        var encodings = string.Join(", ", headers.ContentEncoding.ToString()
            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Where(encoding => encoding != "aws-chunked"));
        if (encodings.Length > 0) kept["content-encoding"] = encodings;
        return kept;
    }

    public static void AddChecksum(HttpResponse response, StoredChecksum? checksum)
    {
        if (checksum is null) return;
        response.Headers[Checksum.HeaderPrefix + checksum.Algorithm] = checksum.Value;
        response.Headers["x-amz-checksum-type"] = checksum.Composite ? "COMPOSITE" : "FULL_OBJECT";
    }

    private static void AddHeaders(S3Exchange exchange, ObjectFile file)
    {
        var headers = exchange.Response.Headers;
        foreach (var (name, value) in file.Metadata.Headers) headers[name] = value;
        const string overriding = "response-";
        foreach (var (name, value) in exchange.Target.Query)
        {
            if (!name.StartsWith(overriding, StringComparison.Ordinal)) continue;
            if (value.Any(char.IsControl)) throw S3Error.InvalidArgument($"{name} is not valid.");
            headers[name[overriding.Length..]] = value;
        }

        if (headers.ContentType.Count == 0) headers.ContentType = "binary/octet-stream";
        headers.AcceptRanges = "bytes";
        // Browsers come here by presigned links: what a type says must be what it is.
        headers.XContentTypeOptions = "nosniff";
    }

    private static async Task SendAsync(HttpResponse response, ObjectFile file, ByteRange part, CancellationToken aborted)
    {
        var (offset, left) = (part.Start, part.Length);
        while (left > 0)
        {
            var buffer = response.BodyWriter.GetMemory((int)Math.Min(left, Piece));
            var read = file.Read(buffer.Span[..(int)Math.Min(left, buffer.Length)], offset);
            if (read == 0) throw new EndOfStreamException("The object's file became shorter.");
            response.BodyWriter.Advance(read);
            (offset, left) = (offset + read, left - read);
            var flushed = await response.BodyWriter.FlushAsync(aborted);
            if (flushed.IsCompleted) return;
        }
    }
}
