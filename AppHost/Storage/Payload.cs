using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Darkroom.AppHost.Storage;

/// <summary>Receives the bytes of a body as they arrive.</summary>
internal delegate void BodySink(ReadOnlySpan<byte> bytes);

/// <summary>
/// Reads and verifies a request body: plain or in AWS chunks (<c>aws-chunked</c>), signed or unsigned, with or without trailers. Each
/// byte is hashed once, for both signature and ETag; other checksums are computed only if the client sends one. Throws if any of
/// them does not match.
/// </summary>
internal sealed class Payload(HttpRequest request, SignedRequest signed)
{
    private const int MaxDocumentBytes = 4 * 1024 * 1024;

    private readonly BodyLines _body = new(request.BodyReader);

    public async Task<ReceivedBody> CopyToAsync(BodySink sink, CancellationToken cancellationToken)
    {
        var isChunked = signed.Payload.StartsWith("STREAMING-", StringComparison.Ordinal);
        var algorithm = DeclaredChecksum();
        // The SHA-256 of a plain body is computed for the signature anyway.
        var isHashedAnyway = algorithm == Checksum.Sha256 && !isChunked;
        using var checksum = algorithm is null || isHashedAnyway ? null : new Checksum(algorithm);
        using var md5 = Header("Content-MD5") is null ? null : ContentMd5();
        long length = 0;
        void Receive(ReadOnlySpan<byte> bytes)
        {
            sink(bytes);
            checksum?.Append(bytes);
            md5?.AppendData(bytes);
            length += bytes.Length;
        }

        var trailers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var hash = isChunked
            ? await CopyChunksAsync(Receive, trailers, cancellationToken)
            : await CopyPlainAsync(Receive, cancellationToken);

        if (Header("x-amz-decoded-content-length") is { } declared && declared != length.ToString(System.Globalization.CultureInfo.InvariantCulture))
            throw S3Error.IncompleteBody();
        if (md5 is not null && Header("Content-MD5") != Convert.ToBase64String(md5.GetCurrentHash()))
            throw S3Error.BadDigest("Content-MD5");
        return new ReceivedBody($"{Convert.ToHexStringLower(hash.AsSpan(0, 16))}-1", algorithm is null ? null : Verify(algorithm, checksum?.Value() ?? hash, trailers));
    }

    /// <summary>Reads a body that is an XML document rather than an object.</summary>
    public async Task<byte[]> ReadDocumentAsync(CancellationToken cancellationToken)
    {
        using var document = new MemoryStream();
        await CopyToAsync(
            bytes =>
            {
                if (document.Length + bytes.Length > MaxDocumentBytes)
                    throw S3Error.InvalidRequest("The document is too large.");
                document.Write(bytes);
            },
            cancellationToken);
        return document.ToArray();
    }

    private async Task<byte[]> CopyPlainAsync(BodySink receive, CancellationToken cancellationToken)
    {
        if (request.ContentLength is null)
            throw new S3Error(411, "MissingContentLength", "You must provide the Content-Length HTTP header.");
        using var sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await _body.CopyRestAsync(
            bytes =>
            {
                receive(bytes);
                sha256.AppendData(bytes);
            },
            cancellationToken);

        var hash = sha256.GetCurrentHash();
        if (signed.Payload != "UNSIGNED-PAYLOAD" && signed.Payload != Convert.ToHexStringLower(hash))
            throw new S3Error(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.");
        return hash;
    }

    private async Task<byte[]> CopyChunksAsync(BodySink receive, Dictionary<string, string> trailers, CancellationToken cancellationToken)
    {
        var (chunksAreSigned, hasTrailers) = signed.Payload switch
        {
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => (true, false),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => (true, true),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => (false, true),
            _ => throw S3Error.NotImplemented(signed.Payload),
        };

        // Each signed chunk has its own hash. The overall hash is then a hash of those hashes, so that no byte is hashed twice.
        using var whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var chunk = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var target = chunksAreSigned ? chunk : whole;
        var previous = signed.Signature;
        while (true)
        {
            var (size, signature) = ChunkHeader.Parse(await _body.ReadLineAsync(cancellationToken));
            await _body.CopyAsync(
                size,
                bytes =>
                {
                    receive(bytes);
                    target.AppendData(bytes);
                },
                cancellationToken);
            if (chunksAreSigned)
            {
                var hash = chunk.GetHashAndReset();
                if (!signed.ChunkMatches(previous, hash, signature))
                    throw ChunkSignatureMismatch();
                whole.AppendData(hash);
                previous = signature;
            }

            if (size == 0)
                break;
            if (await _body.ReadLineAsync(cancellationToken) != "")
                throw S3Error.IncompleteBody();
        }

        await ReadTrailersAsync(trailers, chunksAreSigned && hasTrailers ? previous : null, cancellationToken);
        return whole.GetCurrentHash();
    }

    /// <param name="previous">The signature of the last chunk if the trailers are signed, otherwise null.</param>
    private async Task ReadTrailersAsync(Dictionary<string, string> trailers, string? previous, CancellationToken cancellationToken)
    {
        const string signatureName = "x-amz-trailer-signature";
        var canonical = new StringBuilder();
        while (await _body.ReadLineAsync(cancellationToken) is { Length: > 0 } line)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0)
                throw S3Error.InvalidRequest("A trailer is malformed.");
            var (name, value) = (line[..colon].Trim().ToLowerInvariant(), line[(colon + 1)..].Trim());
            trailers[name] = value;
            if (name != signatureName)
                canonical.Append(name).Append(':').Append(value).Append('\n');
        }

        await _body.CopyRestAsync(static _ => throw S3Error.IncompleteBody(), cancellationToken);
        if (previous is null)
            return;
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(canonical.ToString()));
        if (!signed.TrailerMatches(previous, hash, trailers.GetValueOrDefault(signatureName, "")))
            throw ChunkSignatureMismatch();
    }

    private string? DeclaredChecksum()
    {
        var name = Header("x-amz-trailer")
            ?? request.Headers.Keys.FirstOrDefault(key => key.StartsWith(Checksum.HeaderPrefix, StringComparison.OrdinalIgnoreCase)
                && !key.EndsWith("-algorithm", StringComparison.OrdinalIgnoreCase)
                && !key.EndsWith("-type", StringComparison.OrdinalIgnoreCase));
        if (name is null)
            return null;
        return name.StartsWith(Checksum.HeaderPrefix, StringComparison.OrdinalIgnoreCase)
            ? name[Checksum.HeaderPrefix.Length..].Trim().ToLowerInvariant()
            : throw S3Error.NotImplemented($"the trailer {name}");
    }

    private StoredChecksum Verify(string algorithm, byte[] checksum, Dictionary<string, string> trailers)
    {
        var name = Checksum.HeaderPrefix + algorithm;
        var value = Convert.ToBase64String(checksum);
        return value == (trailers.GetValueOrDefault(name) ?? Header(name))
            ? new StoredChecksum(algorithm, value, Composite: false)
            : throw S3Error.BadDigest(algorithm.ToUpperInvariant());
    }

    private string? Header(string name) => request.Headers.TryGetValue(name, out var values) ? values[0] : null;

#pragma warning disable CA5351 // Not used for security: Content-MD5 is part of the S3 protocol.
    private static IncrementalHash ContentMd5() => IncrementalHash.CreateHash(HashAlgorithmName.MD5);
#pragma warning restore CA5351

    private static S3Error ChunkSignatureMismatch() =>
        new(403, "SignatureDoesNotMatch", "The chunk signature we calculated does not match the signature you provided.");
}

/// <summary>ETag and checksum of a body that passed all checks.</summary>
/// <param name="ETag">Without quotes. The suffix <c>-1</c> keeps clients from treating it as an MD5, which we do not compute.</param>
internal sealed record ReceivedBody(string ETag, StoredChecksum? Checksum);

/// <summary>The line that precedes each chunk: <c>size in hex[;chunk-signature=hex]</c>.</summary>
internal readonly record struct ChunkHeader(long Size, string Signature)
{
    private const string SignatureName = "chunk-signature=";

    public static ChunkHeader Parse(string? line)
    {
        if (line is null)
            throw S3Error.IncompleteBody();
        var semicolon = line.IndexOf(';', StringComparison.Ordinal);
        var size = semicolon < 0 ? line : line[..semicolon];
        if (!long.TryParse(size, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var bytes) || bytes < 0)
            throw S3Error.InvalidRequest("The size of a chunk is not valid.");
        var extension = semicolon < 0 ? "" : line[(semicolon + 1)..];
        return new ChunkHeader(bytes, extension.StartsWith(SignatureName, StringComparison.Ordinal) ? extension[SignatureName.Length..] : "");
    }
}
