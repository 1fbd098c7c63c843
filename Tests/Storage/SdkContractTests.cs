using System.Net;
using System.Security.Cryptography;
using System.Text;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Darkroom.AppHost.Storage;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.Storage;

/// <summary>The embedded endpoint, tested through the AWS SDK with its defaults.</summary>
public sealed class SdkContractTests : IAsyncLifetime
{
    private const string Bucket = "darkroom";
    private TestS3 _s3 = null!;
    private AmazonS3Client _sdk = null!;

    public async Task InitializeAsync()
    {
        _s3 = await TestS3.StartAsync();
        _sdk = DefaultClient(_s3.Url);
    }

    public async Task DisposeAsync()
    {
        _sdk.Dispose();
        await _s3.DisposeAsync();
    }

    public static TheoryData<string> UnusualKeys => new(
        "plain.txt", "with space.txt", "plus+plus", "per%20cent", "ünïcödé/東京/🎉.jpg", "a..b", "..a/b..", "~!@#$&*()='\"<>,;:?[]{}|\\^`",
        "UPPER/upper", "trailing/", "double//slash", "con/nul.txt", ".hidden", "+folder/=object/~long", new string('x', 1024),
        "seg/" + new string('é', 400) + "/tail", new string('p', 199), new string('p', 200), new string('p', 201));

    [Theory]
    [MemberData(nameof(UnusualKeys))]
    public async Task Any_key_is_stored_found_listed_and_deleted(string key)
    {
        await PutAsync(key, "content of it");

        Assert.Equal("content of it", await GetAsync(key));
        Assert.Equal([key], (await _sdk.ListObjectsV2Async(new ListObjectsV2Request { BucketName = Bucket })).S3Objects.Select(o => o.Key));
        await _sdk.DeleteObjectAsync(Bucket, key);
        Assert.Empty(await ListAsync(""));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Join(_s3.DataFolder, "buckets", Bucket)));
    }

    [Fact]
    public void A_key_with_parent_segments_names_an_object_and_never_a_file_outside()
    {
        // .NET's HTTP client normalizes dots before sending, so this tests the folders directly.
        string[] keys = ["../../escape", "a/../b", "..", ".", "/etc/passwd", "a\\..\\b", "nul\0byte"];
        var folders = new BucketFolders(Path.Join(_s3.DataFolder, "inner"));
        folders.Create(Bucket);
        foreach (var key in keys)
        {
            using var writer = folders.BeginWrite();
            writer.Write(Encoding.UTF8.GetBytes(key));
            var metadata = new ObjectMetadata { ETag = "e", LastModified = default, Headers = [] };
            Assert.True(writer.Commit(KeyPath.Object(folders.Objects(Bucket), KeyBytes.From(key)), metadata));
        }

        Assert.Equal(keys.Order(StringComparer.Ordinal), new KeyWalk(folders.Objects(Bucket), "").After(""));
        var outside = Directory.EnumerateFiles(_s3.DataFolder, "*", SearchOption.AllDirectories)
            .Where(file => !file.StartsWith(folders.Objects(Bucket) + Path.DirectorySeparatorChar, StringComparison.Ordinal));
        Assert.Empty(outside);
    }

    [Fact]
    public async Task Keys_that_differ_only_in_case_or_slash_are_different_objects()
    {
        string[] keys = ["a", "A", "a/", "a/b", "a/B", "a//b", "ab"];
        foreach (var key in keys)
            await PutAsync(key, "of " + key);
        foreach (var key in keys)
            Assert.Equal("of " + key, await GetAsync(key));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(65_536)]
    [InlineData(300_001)]
    public async Task Bytes_are_returned_unchanged(int length)
    {
        var bytes = RandomNumberGenerator.GetBytes(length);
        await _sdk.PutObjectAsync(new PutObjectRequest { BucketName = Bucket, Key = "k", InputStream = new MemoryStream(bytes) });
        using var response = await _sdk.GetObjectAsync(Bucket, "k");
        using var copy = new MemoryStream();
        await response.ResponseStream.CopyToAsync(copy);

        Assert.Equal(bytes, copy.ToArray());
        Assert.Equal(length, response.ContentLength);
    }

    [Fact]
    public async Task Content_type_headers_and_metadata_are_returned()
    {
        var put = new PutObjectRequest { BucketName = Bucket, Key = "k", ContentBody = "x", ContentType = "image/avif" };
        put.Headers.CacheControl = "max-age=5";
        put.Headers.ContentDisposition = "attachment; filename=\"a b.avif\"";
        put.Headers.ContentEncoding = "identity";
        put.Metadata["owner"] = "me  and you";
        await _sdk.PutObjectAsync(put);
        var head = await _sdk.GetObjectMetadataAsync(Bucket, "k");

        Assert.Equal("image/avif", head.Headers.ContentType);
        Assert.Equal("max-age=5", head.Headers.CacheControl);
        Assert.Equal("attachment; filename=\"a b.avif\"", head.Headers.ContentDisposition);
        Assert.Equal("identity", head.Headers.ContentEncoding);
        Assert.Equal("me  and you", head.Metadata["owner"]);
        Assert.Equal(1, head.ContentLength);
    }

    [Theory]
    [InlineData("CRC32")]
    [InlineData("SHA1")]
    [InlineData("SHA256")]
    public async Task Every_checksum_of_the_SDK_is_verified_and_stored(string algorithm)
    {
        var put = new PutObjectRequest
        {
            BucketName = Bucket,
            Key = "k",
            InputStream = new MemoryStream(RandomNumberGenerator.GetBytes(200_000)),
            ChecksumAlgorithm = ChecksumAlgorithm.FindValue(algorithm),
        };
        await _sdk.PutObjectAsync(put);
        var head = await _sdk.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = Bucket, Key = "k", ChecksumMode = ChecksumMode.ENABLED });

        Assert.NotNull(algorithm switch
        {
            "CRC32" => head.ChecksumCRC32,
            "SHA1" => head.ChecksumSHA1,
            _ => head.ChecksumSHA256,
        });
    }

    [Fact]
    public async Task A_checksum_that_does_not_match_stores_nothing()
    {
        var put = new PutObjectRequest
        {
            BucketName = Bucket,
            Key = "k",
            ContentBody = "these bytes",
            UseChunkEncoding = false,
            ChecksumSHA256 = Convert.ToBase64String(SHA256.HashData("those bytes"u8)),
        };
        var error = await Assert.ThrowsAsync<AmazonS3Exception>(() => _sdk.PutObjectAsync(put));

        Assert.Equal("BadDigest", error.ErrorCode);
        Assert.Empty(await ListAsync(""));
    }

    [Theory]
    [InlineData(0, 0, "0")]
    [InlineData(2, 4, "234")]
    [InlineData(8, 100, "89")]
    public async Task A_range_is_served(long start, long end, string expected)
    {
        await PutAsync("k", "0123456789");
        using var response = await _sdk.GetObjectAsync(new GetObjectRequest { BucketName = Bucket, Key = "k", ByteRange = new Amazon.S3.Model.ByteRange(start, end) });

        Assert.Equal(HttpStatusCode.PartialContent, response.HttpStatusCode);
        Assert.Equal(expected, await new StreamReader(response.ResponseStream).ReadToEndAsync());
        Assert.Equal($"bytes {start}-{Math.Min(end, 9)}/10", response.ContentRange);
    }

    [Fact]
    public async Task A_suffix_range_is_served_and_a_range_past_the_end_is_rejected()
    {
        await PutAsync("k", "0123456789");
        using var response = await _sdk.GetObjectAsync(new GetObjectRequest { BucketName = Bucket, Key = "k", ByteRange = new Amazon.S3.Model.ByteRange("bytes=-3") });
        Assert.Equal("789", await new StreamReader(response.ResponseStream).ReadToEndAsync());

        var error = await Assert.ThrowsAsync<AmazonS3Exception>(
            () => _sdk.GetObjectAsync(new GetObjectRequest { BucketName = Bucket, Key = "k", ByteRange = new Amazon.S3.Model.ByteRange(10, 12) }));
        Assert.Equal("InvalidRange", error.ErrorCode);
    }

    [Fact]
    public async Task Conditional_headers_are_honoured()
    {
        await PutAsync("k", "x");
        var etag = (await _sdk.GetObjectMetadataAsync(Bucket, "k")).ETag;

        using var same = await _sdk.GetObjectAsync(new GetObjectRequest { BucketName = Bucket, Key = "k", EtagToMatch = etag });
        await AssertRejectedAsync(HttpStatusCode.PreconditionFailed, () => _sdk.GetObjectAsync(new GetObjectRequest { BucketName = Bucket, Key = "k", EtagToMatch = "\"other\"" }));
        await AssertRejectedAsync(HttpStatusCode.NotModified, () => _sdk.GetObjectAsync(new GetObjectRequest { BucketName = Bucket, Key = "k", EtagToNotMatch = etag }));
        await AssertRejectedAsync(HttpStatusCode.PreconditionFailed, () => _sdk.PutObjectAsync(new PutObjectRequest { BucketName = Bucket, Key = "k", ContentBody = "y", IfNoneMatch = "*" }));
        Assert.Equal("x", await GetAsync("k"));
    }

    [Fact]
    public async Task Missing_objects_and_buckets_are_reported()
    {
        await AssertRejectedAsync("NoSuchKey", () => _sdk.GetObjectAsync(Bucket, "k"));
        await AssertRejectedAsync(HttpStatusCode.NotFound, () => _sdk.GetObjectMetadataAsync(Bucket, "k"));
        await AssertRejectedAsync("NoSuchBucket", () => _sdk.GetObjectAsync("no-such-bucket", "k"));
        await AssertRejectedAsync("NoSuchBucket", () => _sdk.PutObjectAsync(new PutObjectRequest { BucketName = "no-such-bucket", Key = "k", ContentBody = "x" }));
        Assert.Equal(HttpStatusCode.NoContent, (await _sdk.DeleteObjectAsync(Bucket, "k")).HttpStatusCode);
    }

    [Fact]
    public async Task Unsupported_operations_are_rejected_rather_than_served_as_something_else()
    {
        await PutAsync("k", "x");
        await AssertRejectedAsync("NotImplemented", () => _sdk.CopyObjectAsync(Bucket, "k", Bucket, "copy"));
        await AssertRejectedAsync("NotImplemented", () => _sdk.GetObjectTaggingAsync(new GetObjectTaggingRequest { BucketName = Bucket, Key = "k" }));
    }

    [Fact]
    public async Task A_bucket_is_created_only_once()
    {
        await _sdk.PutBucketAsync("another-bucket");
        await _sdk.HeadBucketAsync(new HeadBucketRequest { BucketName = "another-bucket" });
        await AssertRejectedAsync("BucketAlreadyOwnedByYou", () => _sdk.PutBucketAsync("another-bucket"));
        await AssertRejectedAsync(HttpStatusCode.NotFound, () => _sdk.HeadBucketAsync(new HeadBucketRequest { BucketName = "missing-bucket" }));
    }

    [Fact]
    public async Task Thousands_of_keys_are_listed_page_by_page_in_byte_order()
    {
        var expected = Enumerable.Range(0, 2_500).Select(i => $"list/{i % 7}/{i}-{(char)('a' + (i % 26))}").ToArray();
        await Parallel.ForEachAsync(expected, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (key, _) => await PutAsync(key, ""));
        await PutAsync("other", "");

        var pages = new List<int>();
        var keys = await ListAsync("list/", pages);

        Assert.Equal(expected.Order(StringComparer.Ordinal), keys);
        Assert.Equal([1000, 1000, 500], pages);
    }

    [Fact]
    public async Task Keys_are_listed_in_UTF8_byte_order_across_folders()
    {
        // In UTF-16 order the last two would be swapped; '-' and '.' sort before '/', digits and letters after it.
        string[] ordered = ["a", "a-b", "a.b", "a/", "a/-", "a/b", "a/b/c", "a0", "aa", "b", "\uFFEE", "\U0001F389"];
        foreach (var key in ordered.Reverse())
            await PutAsync(key, "");
        Assert.Equal(ordered, await ListAsync(""));
    }

    [Fact]
    public async Task A_delimiter_rolls_up_folders_across_pages()
    {
        foreach (var key in (string[])["p/a", "p/b/1", "p/b/2", "p/b0", "p/c/1", "p/d"])
            await PutAsync(key, "");
        var (keys, folders) = (new List<string>(), new List<string>());
        var request = new ListObjectsV2Request { BucketName = Bucket, Prefix = "p/", Delimiter = "/", MaxKeys = 2 };
        do
        {
            var page = await _sdk.ListObjectsV2Async(request);
            keys.AddRange((page.S3Objects ?? []).Select(o => o.Key));
            folders.AddRange(page.CommonPrefixes ?? []);
            request.ContinuationToken = page.NextContinuationToken;
        }
        while (request.ContinuationToken is not null);

        Assert.Equal(["p/a", "p/b0", "p/d"], keys);
        Assert.Equal(["p/b/", "p/c/"], folders);
    }

    [Fact]
    public async Task Many_objects_are_deleted_at_once()
    {
        string[] keys = ["d/1", "d/2 é", "d/<3>&"];
        foreach (var key in keys)
            await PutAsync(key, "");
        await PutAsync("kept", "");
        var response = await _sdk.DeleteObjectsAsync(new DeleteObjectsRequest
        {
            BucketName = Bucket,
            Objects = [.. keys.Append("d/missing").Select(key => new KeyVersion { Key = key })],
        });

        Assert.Equal([.. keys, "d/missing"], response.DeletedObjects.Select(o => o.Key));
        Assert.Equal(["kept"], await ListAsync(""));
    }

    [Fact]
    public async Task Concurrent_writes_of_one_key_leave_one_complete_object()
    {
        var contents = Enumerable.Range(0, 32).Select(i => Encoding.ASCII.GetBytes(new string((char)('A' + i), 100_000))).ToArray();
        await Task.WhenAll(contents.Select(content => _sdk.PutObjectAsync(
            new PutObjectRequest { BucketName = Bucket, Key = "k", InputStream = new MemoryStream(content) })));

        var stored = await GetAsync("k");
        Assert.Equal(100_000, stored.Length);
        Assert.Equal(new string(stored[0], 100_000), stored);
        Assert.Empty(Directory.EnumerateFiles(Path.Join(_s3.DataFolder, "tmp")));
    }

    [Fact]
    public async Task Concurrent_deletes_and_writes_in_one_folder_lose_nothing()
    {
        // A delete also removes empty folders, which a concurrent write may be about to use.
        await Parallel.ForAsync(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
        {
            await PutAsync($"f/g/{i}", "x");
            if (i % 2 == 0)
                await _sdk.DeleteObjectAsync(Bucket, $"f/g/{i}");
        });
        Assert.Equal(200, (await ListAsync("f/")).Count);
    }

    [Fact]
    public async Task Objects_survive_a_restart_and_partial_writes_are_deleted()
    {
        await PutAsync("k", "x");
        await File.WriteAllTextAsync(Path.Join(_s3.DataFolder, "tmp", "half"), "a write that a crash cut off");
        await _s3.RestartAsync();

        Assert.Equal("x", await GetAsync("k"));
        Assert.Empty(Directory.EnumerateFiles(Path.Join(_s3.DataFolder, "tmp")));
    }

    [Fact]
    public async Task A_file_cut_short_by_a_power_loss_is_not_an_object()
    {
        await PutAsync("k", "some content");
        var file = Directory.EnumerateFiles(Path.Join(_s3.DataFolder, "buckets"), "*", SearchOption.AllDirectories).Single();
        var whole = await File.ReadAllBytesAsync(file);
        foreach (var length in (int[])[0, 5, whole.Length - 1])
        {
            await File.WriteAllBytesAsync(file, whole[..length]);
            await AssertRejectedAsync("NoSuchKey", () => _sdk.GetObjectAsync(Bucket, "k"));
            Assert.Empty(await ListAsync(""));
        }
    }

    internal static AmazonS3Client DefaultClient(Uri url, string secret = "test-secret", string accessKey = "test") => new(
        new BasicAWSCredentials(accessKey, secret),
        new AmazonS3Config { ServiceURL = url.AbsoluteUri, ForcePathStyle = true, AuthenticationRegion = "us-east-1", MaxErrorRetry = 0 });

    private async Task PutAsync(string key, string content) =>
        await _sdk.PutObjectAsync(new PutObjectRequest { BucketName = Bucket, Key = key, ContentBody = content });

    private async Task<string> GetAsync(string key)
    {
        using var response = await _sdk.GetObjectAsync(Bucket, key);
        return await new StreamReader(response.ResponseStream).ReadToEndAsync();
    }

    private async Task<List<string>> ListAsync(string prefix, List<int>? pages = null)
    {
        var keys = new List<string>();
        var request = new ListObjectsV2Request { BucketName = Bucket, Prefix = prefix };
        do
        {
            var page = await _sdk.ListObjectsV2Async(request);
            var found = (page.S3Objects ?? []).Select(o => o.Key).ToList();
            pages?.Add(found.Count);
            keys.AddRange(found);
            request.ContinuationToken = page.NextContinuationToken;
        }
        while (request.ContinuationToken is not null);
        return keys;
    }

    private static async Task AssertRejectedAsync<T>(string code, Func<Task<T>> call) =>
        Assert.Equal(code, (await Assert.ThrowsAnyAsync<AmazonS3Exception>(call)).ErrorCode);

    private static async Task AssertRejectedAsync<T>(HttpStatusCode status, Func<Task<T>> call) =>
        Assert.Equal(status, (await Assert.ThrowsAnyAsync<AmazonS3Exception>(call)).StatusCode);
}
