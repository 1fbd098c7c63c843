using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.Http;

namespace Darkroom.AppHost.Storage;

/// <summary>Multipart uploads.</summary>
internal sealed class MultipartOperations(BucketFolders buckets, TimeProvider time)
{
    private const int MaxParts = 10_000;
    private const int MaxListed = 1000;
    private const long MinPartBytes = 5 * 1024 * 1024;
    private const int BufferBytes = 256 * 1024;

    public Task CreateAsync(S3Exchange exchange)
    {
        buckets.Objects(exchange.Target.Bucket);
        var algorithm = exchange.Header("x-amz-checksum-algorithm")?.ToLowerInvariant();
        if (algorithm is not null && !Checksum.Algorithms.Contains(algorithm))
            throw S3Error.NotImplemented($"the checksum {algorithm}");
        var composite = (exchange.Header("x-amz-checksum-type") ?? (algorithm == "crc64nvme" ? "FULL_OBJECT" : "COMPOSITE")) == "COMPOSITE";
        var folder = UploadFolder.Create(
            buckets.Uploads(exchange.Target.Bucket),
            new PendingUpload(exchange.Target.Key, ObjectOperations.HeadersToStore(exchange.Request.Headers), algorithm, composite, time.GetUtcNow()));

        if (algorithm is not null)
        {
            exchange.Response.Headers["x-amz-checksum-algorithm"] = algorithm.ToUpperInvariant();
            exchange.Response.Headers["x-amz-checksum-type"] = composite ? "COMPOSITE" : "FULL_OBJECT";
        }

        return exchange.RespondXmlAsync(new XElement(
            "InitiateMultipartUploadResult",
            new XElement("Bucket", exchange.Target.Bucket),
            new XElement("Key", exchange.Target.KeyText),
            new XElement("UploadId", folder.Id)));
    }

    public async Task PutPartAsync(S3Exchange exchange, string id)
    {
        var folder = Open(exchange, id) ?? throw S3Error.NoSuchUpload();
        if (!int.TryParse(exchange.Target["partNumber"], NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is < 1 or > MaxParts)
            throw S3Error.InvalidArgument($"Part number must be an integer between 1 and {MaxParts}, inclusive.");

        using var writer = buckets.BeginWrite();
        var body = await exchange.ReadBodyAsync(writer.Write);
        try
        {
            writer.Commit(
                folder.PartPath(number),
                new ObjectMetadata { ETag = body.ETag, LastModified = time.GetUtcNow(), Headers = [], Checksum = body.Checksum },
                createFolder: false);
        }
        catch (DirectoryNotFoundException)
        {
            throw S3Error.NoSuchUpload();
        }

        exchange.Response.Headers.ETag = $"\"{body.ETag}\"";
        ObjectOperations.AddChecksum(exchange.Response, body.Checksum);
    }

    public async Task CompleteAsync(S3Exchange exchange, string id)
    {
        var request = await exchange.ReadXmlAsync();
        var path = KeyPath.Object(buckets.Objects(exchange.Target.Bucket), exchange.Target.Key);
        var metadata = Open(exchange, id) is { } folder
            ? Assemble(exchange, folder, RequestedParts(request), path)
            : CompletedBy(id, path) ?? throw S3Error.NoSuchUpload();

        var result = new XElement(
            "CompleteMultipartUploadResult",
            new XElement("Bucket", exchange.Target.Bucket),
            new XElement("Key", exchange.Target.KeyText),
            new XElement("ETag", $"\"{metadata.ETag}\""));
        if (metadata.Checksum is { } checksum)
        {
            result.Add(
                new XElement("Checksum" + checksum.Algorithm.ToUpperInvariant(), checksum.Value),
                new XElement("ChecksumType", checksum.Composite ? "COMPOSITE" : "FULL_OBJECT"));
        }

        await exchange.RespondXmlAsync(result);
    }

    public Task AbortAsync(S3Exchange exchange, string id)
    {
        (Open(exchange, id) ?? throw S3Error.NoSuchUpload()).Delete();
        exchange.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    public Task ListPartsAsync(S3Exchange exchange, string id)
    {
        var folder = Open(exchange, id) ?? throw S3Error.NoSuchUpload();
        var after = exchange.Target["part-number-marker"] is null ? 0 : exchange.Limit("part-number-marker", MaxParts);
        var limit = exchange.Limit("max-parts", MaxListed);
        var numbers = folder.PartNumbers().Where(number => number > after).Take(limit + 1).ToList();
        var shown = numbers.Take(limit).ToList();
        return exchange.RespondXmlAsync(new XElement(
            "ListPartsResult",
            new XElement("Bucket", exchange.Target.Bucket),
            new XElement("Key", exchange.Target.KeyText),
            new XElement("UploadId", id),
            new XElement("PartNumberMarker", after),
            shown.Count == 0 ? null : new XElement("NextPartNumberMarker", shown[^1]),
            new XElement("MaxParts", limit),
            new XElement("IsTruncated", numbers.Count > limit),
            shown.Select(number => DescribePart(folder, number))));
    }

    public Task ListUploadsAsync(S3Exchange exchange)
    {
        var target = exchange.Target;
        var prefix = KeyBytes.From(target["prefix"] ?? "");
        var marker = (Key: KeyBytes.From(target["key-marker"] ?? ""), Id: target["upload-id-marker"]);
        var limit = exchange.Limit("max-uploads", MaxListed);
        var found = UploadFolder.All(buckets.Uploads(target.Bucket))
            .Where(folder => folder.Upload.Key.StartsWith(prefix, StringComparison.Ordinal) && IsAfter(folder, marker.Key, marker.Id))
            .Take(limit + 1)
            .ToList();
        var shown = found.Take(limit).ToList();
        return exchange.RespondXmlAsync(new XElement(
            "ListMultipartUploadsResult",
            new XElement("Bucket", target.Bucket),
            new XElement("Prefix", target["prefix"]),
            new XElement("MaxUploads", limit),
            new XElement("IsTruncated", found.Count > limit),
            shown.Count == 0 ? null : new XElement("NextKeyMarker", KeyBytes.ToText(shown[^1].Upload.Key)),
            shown.Count == 0 ? null : new XElement("NextUploadIdMarker", shown[^1].Id),
            shown.Select(folder => new XElement(
                "Upload",
                new XElement("Key", KeyBytes.ToText(folder.Upload.Key)),
                new XElement("UploadId", folder.Id),
                new XElement("StorageClass", "STANDARD"),
                new XElement("Initiated", S3Exchange.FormatTime(folder.Upload.Initiated))))));
    }

    private static bool IsAfter(UploadFolder folder, string key, string? id)
    {
        var order = string.CompareOrdinal(folder.Upload.Key, key);
        return order > 0 || (order == 0 && id is not null && string.CompareOrdinal(folder.Id, id) > 0);
    }

    private UploadFolder? Open(S3Exchange exchange, string id) =>
        UploadFolder.TryOpen(buckets.Uploads(exchange.Target.Bucket), id) is { } folder && folder.Upload.Key == exchange.Target.Key ? folder : null;

    /// <summary>Recognizes a completion that is repeated because its response was lost: the object records which upload created it.</summary>
    private static ObjectMetadata? CompletedBy(string id, string path)
    {
        using var file = ObjectFile.TryOpen(path);
        return file?.Metadata.UploadId == id ? file.Metadata : null;
    }

    private ObjectMetadata Assemble(S3Exchange exchange, UploadFolder folder, List<RequestedPart> requested, string path)
    {
        var upload = folder.Upload;
        using var writer = buckets.BeginWrite();
        using var whole = upload is { Algorithm: { } algorithm, Composite: false } ? new Checksum(algorithm) : null;
        var etags = new StringBuilder();
        var checksums = new List<byte[]>();
        for (var i = 0; i < requested.Count; i++)
        {
            using var part = ObjectFile.TryOpen(folder.PartPath(requested[i].Number));
            if (part is null || part.Metadata.ETag != requested[i].ETag)
                throw InvalidPart();
            if (requested[i].Checksum is { } given && given != part.Metadata.Checksum?.Value)
                throw InvalidPart();
            if (part.Length < MinPartBytes && i < requested.Count - 1)
                throw new S3Error(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size.");
            etags.Append(part.Metadata.ETag);
            if (part.Metadata.Checksum is { } checksum && checksum.Algorithm == upload.Algorithm)
                checksums.Add(Convert.FromBase64String(checksum.Value));
            Append(part, writer, whole);
        }

        var metadata = new ObjectMetadata
        {
            ETag = $"{Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(etags.ToString())).AsSpan(0, 16))}-{requested.Count}",
            LastModified = time.GetUtcNow(),
            Headers = upload.Headers,
            Checksum = whole is not null ? VerifiedChecksum(exchange, whole) : CompositeChecksum(upload.Algorithm, checksums, requested.Count),
            UploadId = folder.Id,
        };
        writer.Commit(path, metadata);
        folder.Delete();
        return metadata;
    }

    private static void Append(ObjectFile part, ObjectWriter writer, Checksum? whole)
    {
        var buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(BufferBytes);
        for (long offset = 0; offset < part.Length;)
        {
            var read = part.Read(buffer, offset);
            if (read == 0)
                throw new EndOfStreamException("The file of a part was truncated.");
            writer.Write(buffer.AsSpan(0, read));
            whole?.Append(buffer.AsSpan(0, read));
            offset += read;
        }

        System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
    }

    private static StoredChecksum VerifiedChecksum(S3Exchange exchange, Checksum whole)
    {
        var value = Convert.ToBase64String(whole.Value());
        if (exchange.Header(Checksum.HeaderPrefix + whole.Algorithm) is { } given && given != value)
            throw S3Error.BadDigest(whole.Algorithm.ToUpperInvariant());
        return new StoredChecksum(whole.Algorithm, value, Composite: false);
    }

    private static StoredChecksum? CompositeChecksum(string? algorithm, List<byte[]> checksums, int parts) =>
        algorithm is null || checksums.Count != parts
            ? null
            : new StoredChecksum(
                algorithm, $"{Convert.ToBase64String(Checksum.Of(algorithm, checksums.SelectMany(bytes => bytes).ToArray()))}-{parts}", Composite: true);

    private static XElement DescribePart(UploadFolder folder, int number)
    {
        using var part = ObjectFile.TryOpen(folder.PartPath(number)) ?? throw S3Error.NoSuchUpload();
        return new XElement(
            "Part",
            new XElement("PartNumber", number),
            new XElement("LastModified", S3Exchange.FormatTime(part.Metadata.LastModified)),
            new XElement("ETag", $"\"{part.Metadata.ETag}\""),
            new XElement("Size", part.Length));
    }

    private static List<RequestedPart> RequestedParts(XElement request)
    {
        var parts = request.Elements().Where(e => e.Name.LocalName == "Part").Select(RequestedPart.Parse).ToList();
        if (parts.Count == 0)
            throw S3Error.MalformedXml();
        for (var i = 1; i < parts.Count; i++)
            if (parts[i].Number <= parts[i - 1].Number)
                throw new S3Error(400, "InvalidPartOrder", "The list of parts was not in ascending order.");
        return parts;
    }

    private static S3Error InvalidPart() => new(400, "InvalidPart", "One or more of the specified parts could not be found, or its ETag or checksum differs.");

    private sealed record RequestedPart(int Number, string ETag, string? Checksum)
    {
        public static RequestedPart Parse(XElement part)
        {
            string? Value(Func<string, bool> name) => part.Elements().FirstOrDefault(e => name(e.Name.LocalName))?.Value;
            return int.TryParse(Value(name => name == "PartNumber"), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && Value(name => name == "ETag") is { } etag
                ? new RequestedPart(number, etag.Trim('"'), Value(name => name.StartsWith("Checksum", StringComparison.Ordinal)))
                : throw S3Error.MalformedXml();
        }
    }
}
