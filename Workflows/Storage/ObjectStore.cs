using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Amazon.S3;
using Amazon.S3.Model;
using Microsoft.Extensions.Options;

namespace Darkroom.Storage;

/// <summary>
/// The bucket, for everything that is too big for the database. Uploads are verified by SHA-256. Errors are
/// <see cref="StorageException"/>s, thrown after the SDK's own retries are exhausted.
/// </summary>
public sealed class ObjectStore(IAmazonS3 s3, S3ConnectionString connection, TimeProvider time, IOptions<ObjectStoreOptions> options)
{
    /// <summary>The most objects that one request can list or delete: S3's own limit.</summary>
    public const int MaxKeysPerRequest = 1000;

    private readonly bool _encrypted = connection.Endpoint is not { Scheme: "http" };

    /// <summary>Stores <paramref name="content"/> in a single request.</summary>
    /// <param name="sha256">Its hash, if the caller already has it.</param>
    public async Task<StoredObject> PutAsync(
        string key, ReadOnlyMemory<byte> content, string contentType, CancellationToken cancellationToken, byte[]? sha256 = null)
    {
        sha256 ??= SHA256.HashData(content.Span);
        var checksum = Convert.ToBase64String(sha256);
        var request = new PutObjectRequest
        {
            BucketName = connection.Bucket,
            Key = key,
            InputStream = AsStream(content),
            ContentType = contentType,
            ChecksumSHA256 = checksum,
            UseChunkEncoding = false,
            // Over TLS the signed checksum already covers the body. Over plain HTTP the SDK requires payload signing.
            DisablePayloadSigning = _encrypted,
        };
        if (!_encrypted)
            request.Headers[ObjectHeaders.PayloadHash] = Convert.ToHexStringLower(sha256);
        request.Headers.ContentDisposition = ObjectHeaders.Disposition(key, contentType);
        request.Headers.CacheControl = ObjectHeaders.CacheControl(contentType);

        var response = await StorageErrors.MappedAsync(key, s3.PutObjectAsync(request, cancellationToken), cancellationToken);
        ThrowIfChecksumDiffers(key, checksum, response.ChecksumSHA256);
        return new StoredObject(key, content.Length, sha256);
    }

    /// <summary>Stores a stream of any length, in constant memory.</summary>
    public async Task<StoredObject> PutAsync(string key, Stream content, string contentType, CancellationToken cancellationToken)
    {
        await using var upload = BeginUpload(key, contentType);
        var buffer = new byte[64 * 1024];
        while (await content.ReadAsync(buffer, cancellationToken) is > 0 and var read)
            await upload.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        return await upload.CompleteAsync(cancellationToken);
    }

    /// <summary>Starts an upload; the object appears when it completes. Sends nothing yet.</summary>
    public ObjectUpload BeginUpload(string key, string contentType) => new(this, key, contentType);

    /// <summary>Streams an object. Throws if a read stalls or if the bytes do not match those stored.</summary>
    /// <exception cref="ObjectNotFoundException"/>
    public Task<Stream> OpenReadAsync(string key, CancellationToken cancellationToken) => OpenReadAsync(key, range: null, cancellationToken);

    /// <summary>
    /// Streams a range of an object, from byte <paramref name="first"/> to byte <paramref name="last"/>, zero-based and inclusive.
    /// </summary>
    /// <exception cref="ObjectNotFoundException"/>
    public Task<Stream> OpenReadAsync(string key, long first, long last, CancellationToken cancellationToken) =>
        OpenReadAsync(key, new ByteRange(first, last), cancellationToken);

    /// <summary>The size of an object in bytes.</summary>
    /// <exception cref="ObjectNotFoundException"/>
    public async Task<long> ReadLengthAsync(string key, CancellationToken cancellationToken)
    {
        var request = new GetObjectMetadataRequest { BucketName = connection.Bucket, Key = key };
        var response = await StorageErrors.MappedAsync(key, s3.GetObjectMetadataAsync(request, cancellationToken), cancellationToken);
        return response.ContentLength;
    }

    private async Task<Stream> OpenReadAsync(string key, ByteRange? range, CancellationToken cancellationToken)
    {
        var request = new GetObjectRequest { BucketName = connection.Bucket, Key = key, ByteRange = range };
        var response = await StorageErrors.MappedAsync(key, s3.GetObjectAsync(request, cancellationToken), cancellationToken);
        return new ObjectReadStream(key, response, options.Value.Try);
    }

    /// <summary>Deletes an object; succeeds if it does not exist.</summary>
    public async Task DeleteAsync(string key, CancellationToken cancellationToken) =>
        await StorageErrors.MappedAsync(key, s3.DeleteObjectAsync(connection.Bucket, key, cancellationToken), cancellationToken);

    /// <summary>Deletes all objects and unfinished uploads under a prefix.</summary>
    public async Task DeletePrefixAsync(string prefix, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(prefix);
        // Uploads first: otherwise one that completes in between would leave its object behind.
        await AbortUploadsAsync(prefix, cancellationToken);
        await foreach (var keys in ListAsync(prefix, cancellationToken).Select(found => found.Key).Chunk(MaxKeysPerRequest).WithCancellation(cancellationToken))
            await DeleteAsync(keys, cancellationToken);
    }

    /// <summary>Deletes several objects in one request; those that do not exist are ignored.</summary>
    /// <param name="keys">At least one, at most <see cref="MaxKeysPerRequest"/>.</param>
    public async Task DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken)
    {
        var request = new DeleteObjectsRequest
        {
            BucketName = connection.Bucket,
            Objects = [.. keys.Select(key => new KeyVersion { Key = key })],
            Quiet = true,
        };
        await StorageErrors.MappedAsync(keys.First(), s3.DeleteObjectsAsync(request, cancellationToken), cancellationToken);
    }

    /// <summary>Aborts all unfinished uploads under a prefix. Their parts cost money and do not appear in listings.</summary>
    public async Task AbortUploadsAsync(string prefix, CancellationToken cancellationToken)
    {
        var request = new ListMultipartUploadsRequest { BucketName = connection.Bucket, Prefix = prefix };
        while (true)
        {
            var page = await StorageErrors.MappedAsync(prefix, s3.ListMultipartUploadsAsync(request, cancellationToken), cancellationToken);
            foreach (var upload in page.MultipartUploads ?? [])
                await AbortAsync(upload.Key, upload.UploadId, cancellationToken);
            if (page.IsTruncated != true)
                return;
            request.KeyMarker = page.NextKeyMarker;
            request.UploadIdMarker = page.NextUploadIdMarker;
        }
    }

    /// <summary>Lists the objects under a prefix, in key order.</summary>
    public async IAsyncEnumerable<ListedObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new ListObjectsV2Request { BucketName = connection.Bucket, Prefix = prefix };
        do
        {
            var page = await StorageErrors.MappedAsync(prefix, s3.ListObjectsV2Async(request, cancellationToken), cancellationToken);
            foreach (var found in page.S3Objects ?? [])
                yield return new ListedObject(found.Key, found.Size ?? 0, found.LastModified ?? default);
            request.ContinuationToken = page.IsTruncated == true ? page.NextContinuationToken : null;
        }
        while (request.ContinuationToken is not null);
    }

    /// <summary>A URL that anyone can open until it expires.</summary>
    /// <param name="downloadAs">Makes browsers save the object under this name instead of showing it.</param>
    public Uri PresignGet(string key, TimeSpan lifetime, string? downloadAs = null) => Presign(HttpVerb.GET, key, lifetime, downloadAs);

    /// <summary>The same for HEAD, because the signature covers the method.</summary>
    public Uri PresignHead(string key, TimeSpan lifetime) => Presign(HttpVerb.HEAD, key, lifetime, downloadAs: null);

    private Uri Presign(HttpVerb verb, string key, TimeSpan lifetime, string? downloadAs)
    {
        var request = new GetPreSignedUrlRequest
        {
            BucketName = connection.Bucket,
            Key = key,
            Verb = verb,
            Expires = time.GetUtcNow().Add(lifetime).UtcDateTime,
            Protocol = _encrypted ? Protocol.HTTPS : Protocol.HTTP,
        };
        if (downloadAs is not null)
            request.ResponseHeaderOverrides.ContentDisposition = ObjectHeaders.Attachment(downloadAs);
        return new Uri(s3.GetPreSignedURL(request));
    }

    /// <summary>Creates the bucket if it does not exist.</summary>
    public async Task EnsureBucketAsync(CancellationToken cancellationToken)
    {
        try
        {
            await CheckAsync(cancellationToken);
        }
        catch (ObjectNotFoundException)
        {
            var request = new PutBucketRequest { BucketName = connection.Bucket, UseClientRegion = true };
            try
            {
                await StorageErrors.MappedAsync(connection.Bucket, s3.PutBucketAsync(request, cancellationToken), cancellationToken);
            }
            catch (StorageException e) when (e.InnerException is AmazonS3Exception { ErrorCode: "BucketAlreadyOwnedByYou" })
            {
                // Another process created it first.
            }
        }
    }

    /// <summary>Throws unless the bucket exists and accepts our credentials.</summary>
    public async Task CheckAsync(CancellationToken cancellationToken) =>
        await StorageErrors.MappedAsync(
            connection.Bucket, s3.HeadBucketAsync(new HeadBucketRequest { BucketName = connection.Bucket }, cancellationToken), cancellationToken);

    internal async Task<string> InitiateAsync(string key, string contentType, CancellationToken cancellationToken)
    {
        var request = new InitiateMultipartUploadRequest
        {
            BucketName = connection.Bucket,
            Key = key,
            ContentType = contentType,
            ChecksumAlgorithm = ChecksumAlgorithm.SHA256,
            ChecksumType = ChecksumType.COMPOSITE,
        };
        request.Headers.ContentDisposition = ObjectHeaders.Disposition(key, contentType);
        request.Headers.CacheControl = ObjectHeaders.CacheControl(contentType);
        var response = await StorageErrors.MappedAsync(key, s3.InitiateMultipartUploadAsync(request, cancellationToken), cancellationToken);
        return response.UploadId;
    }

    internal async Task<PartETag> PutPartAsync(string key, string uploadId, int number, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var checksum = Convert.ToBase64String(SHA256.HashData(content.Span));
        var request = new UploadPartRequest
        {
            BucketName = connection.Bucket,
            Key = key,
            UploadId = uploadId,
            PartNumber = number,
            PartSize = content.Length,
            InputStream = AsStream(content),
            ChecksumSHA256 = checksum,
            UseChunkEncoding = false,
            DisablePayloadSigning = _encrypted,
        };
        var response = await StorageErrors.MappedAsync(key, s3.UploadPartAsync(request, cancellationToken), cancellationToken);
        ThrowIfChecksumDiffers(key, checksum, response.ChecksumSHA256);
        return new PartETag(number, response.ETag) { ChecksumSHA256 = checksum };
    }

    internal async Task CompleteAsync(string key, string uploadId, List<PartETag> parts, CancellationToken cancellationToken)
    {
        var request = new CompleteMultipartUploadRequest
        {
            BucketName = connection.Bucket,
            Key = key,
            UploadId = uploadId,
            PartETags = parts,
            ChecksumType = ChecksumType.COMPOSITE,
        };
        var response = await StorageErrors.MappedAsync(key, s3.CompleteMultipartUploadAsync(request, cancellationToken), cancellationToken);
        // S3 sends the status line of this response before it knows the outcome, so a 200 alone confirms nothing.
        if (string.IsNullOrEmpty(response.ETag))
            throw new StorageUnavailableException($"The object store did not confirm {key}.");
    }

    internal async Task AbortAsync(string key, string uploadId, CancellationToken cancellationToken)
    {
        try
        {
            await StorageErrors.MappedAsync(key, s3.AbortMultipartUploadAsync(connection.Bucket, key, uploadId, cancellationToken), cancellationToken);
        }
        catch (ObjectNotFoundException)
        {
            // Already aborted or completed.
        }
    }

    private static MemoryStream AsStream(ReadOnlyMemory<byte> content) =>
        MemoryMarshal.TryGetArray(content, out var array)
            ? new MemoryStream(array.Array!, array.Offset, array.Count, writable: false)
            : new MemoryStream(content.ToArray(), writable: false);

    private static void ThrowIfChecksumDiffers(string key, string sent, string? stored)
    {
        if (stored is { Length: > 0 } && stored != sent)
            throw new StorageUnavailableException($"The object store reported a different checksum than was sent for {key}.");
    }
}

/// <summary>A stored object: its key, size in bytes and SHA-256.</summary>
public sealed record StoredObject(string Key, long Bytes, byte[] Sha256);

/// <summary>One object as listed.</summary>
public sealed record ListedObject(string Key, long Bytes, DateTimeOffset LastModified);
