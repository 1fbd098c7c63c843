using System.Security.Cryptography;
using Amazon.S3;
using Amazon.S3.Model;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.Storage;

/// <summary>Multipart uploads by the AWS SDK with its defaults.</summary>
public sealed class MultipartContractTests : IAsyncLifetime
{
    private const string Bucket = "darkroom";
    private const int PartBytes = 5 * 1024 * 1024;
    private TestS3 _s3 = null!;
    private AmazonS3Client _sdk = null!;

    public async Task InitializeAsync()
    {
        _s3 = await TestS3.StartAsync();
        _sdk = SdkContractTests.DefaultClient(_s3.Url);
    }

    public async Task DisposeAsync()
    {
        _sdk.Dispose();
        await _s3.DisposeAsync();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("CRC32")]
    [InlineData("SHA256")]
    public async Task Parts_become_one_object_in_order_of_their_numbers(string? algorithm)
    {
        byte[][] parts = [RandomNumberGenerator.GetBytes(PartBytes), RandomNumberGenerator.GetBytes(PartBytes), RandomNumberGenerator.GetBytes(77)];
        var initiated = await _sdk.InitiateMultipartUploadAsync(new InitiateMultipartUploadRequest
        {
            BucketName = Bucket,
            Key = "big",
            ContentType = "text/csv",
            ChecksumAlgorithm = algorithm is null ? null : ChecksumAlgorithm.FindValue(algorithm),
        });
        var sent = new PartETag[3];
        foreach (var i in (int[])[2, 0, 1])
            sent[i] = await SendAsync(initiated.UploadId, i + 1, parts[i], algorithm);

        await AssertRejectedAsync("NoSuchKey", () => _sdk.GetObjectAsync(Bucket, "big"));
        var complete = new CompleteMultipartUploadRequest { BucketName = Bucket, Key = "big", UploadId = initiated.UploadId, PartETags = [.. sent] };
        var first = await _sdk.CompleteMultipartUploadAsync(complete);

        using var response = await _sdk.GetObjectAsync(Bucket, "big");
        using var copy = new MemoryStream();
        await response.ResponseStream.CopyToAsync(copy);
        Assert.True(copy.ToArray().AsSpan().SequenceEqual(parts.SelectMany(part => part).ToArray()));
        Assert.Equal("text/csv", response.Headers.ContentType);
        Assert.EndsWith("-3\"", response.ETag, StringComparison.Ordinal);

        // The response may have been lost, so completing again must succeed in the same way.
        Assert.Equal(first.ETag, (await _sdk.CompleteMultipartUploadAsync(complete)).ETag);
        Assert.Empty(Directory.EnumerateDirectories(Path.Join(_s3.DataFolder, "uploads", Bucket)));
    }

    [Fact]
    public async Task Invalid_parts_are_rejected()
    {
        var initiated = await _sdk.InitiateMultipartUploadAsync(Bucket, "big");
        var small = await SendAsync(initiated.UploadId, 1, [1, 2, 3]);
        var last = await SendAsync(initiated.UploadId, 2, [4]);
        Task<CompleteMultipartUploadResponse> CompleteAsync(params PartETag[] parts) => _sdk.CompleteMultipartUploadAsync(
            new CompleteMultipartUploadRequest { BucketName = Bucket, Key = "big", UploadId = initiated.UploadId, PartETags = [.. parts] });

        await AssertRejectedAsync("EntityTooSmall", () => CompleteAsync(small, last));
        await AssertRejectedAsync("InvalidPart", () => CompleteAsync(new PartETag(1, last.ETag)));
        await AssertRejectedAsync("InvalidPart", () => CompleteAsync(new PartETag(9, small.ETag)));
        await AssertRejectedAsync("NoSuchKey", () => _sdk.GetObjectAsync(Bucket, "big"));
        await CompleteAsync(small);
        Assert.Equal(3, (await _sdk.GetObjectMetadataAsync(Bucket, "big")).ContentLength);
    }

    [Fact]
    public async Task An_aborted_upload_is_gone_and_accepts_no_more_parts()
    {
        var initiated = await _sdk.InitiateMultipartUploadAsync(Bucket, "big");
        await SendAsync(initiated.UploadId, 1, [1]);
        await _sdk.AbortMultipartUploadAsync(Bucket, "big", initiated.UploadId);

        await AssertRejectedAsync("NoSuchUpload", () => SendAsync(initiated.UploadId, 2, [2]));
        await AssertRejectedAsync("NoSuchUpload", () => _sdk.AbortMultipartUploadAsync(Bucket, "big", initiated.UploadId));
        Assert.Empty(Directory.EnumerateFiles(Path.Join(_s3.DataFolder), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task An_upload_belongs_to_its_key_and_its_id_is_not_a_path()
    {
        var initiated = await _sdk.InitiateMultipartUploadAsync(Bucket, "mine");
        foreach (var id in (string[])["../" + initiated.UploadId, "..", "x/../" + initiated.UploadId, "/etc"])
            await AssertRejectedAsync("NoSuchUpload", () => _sdk.AbortMultipartUploadAsync(Bucket, "mine", id));
        await AssertRejectedAsync("NoSuchUpload", () => _sdk.AbortMultipartUploadAsync(Bucket, "other", initiated.UploadId));
        await _sdk.AbortMultipartUploadAsync(Bucket, "mine", initiated.UploadId);
    }

    [Fact]
    public async Task Uploads_and_parts_are_listed_page_by_page_and_survive_a_restart()
    {
        foreach (var key in (string[])["u/b", "u/a", "u/a", "v"])
            await _sdk.InitiateMultipartUploadAsync(Bucket, key);
        await _s3.RestartAsync();

        var request = new ListMultipartUploadsRequest { BucketName = Bucket, Prefix = "u/", MaxUploads = 1 };
        var found = new List<MultipartUpload>();
        ListMultipartUploadsResponse page;
        do
        {
            page = await _sdk.ListMultipartUploadsAsync(request);
            found.AddRange(page.MultipartUploads);
            (request.KeyMarker, request.UploadIdMarker) = (page.NextKeyMarker, page.NextUploadIdMarker);
        }
        while (page.IsTruncated == true);
        Assert.Equal(["u/a", "u/a", "u/b"], found.Select(upload => upload.Key));

        foreach (var number in (int[])[3, 1, 2])
            await SendAsync(found[2].UploadId, number, [1, 2], key: "u/b");
        var parts = await _sdk.ListPartsAsync(new ListPartsRequest { BucketName = Bucket, Key = "u/b", UploadId = found[2].UploadId, MaxParts = 2 });
        Assert.Equal([1, 2], parts.Parts.Select(part => part.PartNumber ?? 0));
        Assert.True(parts.IsTruncated);
    }

    private async Task<PartETag> SendAsync(string uploadId, int number, byte[] content, string? algorithm = null, string key = "big")
    {
        var response = await _sdk.UploadPartAsync(new UploadPartRequest
        {
            BucketName = Bucket,
            Key = key,
            UploadId = uploadId,
            PartNumber = number,
            InputStream = new MemoryStream(content),
            ChecksumAlgorithm = algorithm is null ? null : ChecksumAlgorithm.FindValue(algorithm),
        });
        return new PartETag(response) { PartNumber = number };
    }

    private static async Task AssertRejectedAsync<T>(string code, Func<Task<T>> call) =>
        Assert.Equal(code, (await Assert.ThrowsAnyAsync<AmazonS3Exception>(call)).ErrorCode);
}
