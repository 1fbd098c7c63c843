using System.Net.Http.Headers;
using System.Security.Cryptography;
using Darkroom.Storage;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.Storage;

public sealed class ObjectStoreTests : IAsyncLifetime
{
    private const int PartBytes = 5 * 1024 * 1024;
    private static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false });

    private TestS3 _s3 = null!;
    private ObjectStore _store = null!;

    public async Task InitializeAsync()
    {
        _s3 = await TestS3.StartAsync();
        _store = _s3.CreateStore();
    }

    public async Task DisposeAsync() => await _s3.DisposeAsync();

    [Fact]
    public async Task A_stored_object_is_read_back_unchanged_and_described()
    {
        var bytes = RandomNumberGenerator.GetBytes(300_000);
        var stored = await _store.PutAsync("a/b.jpg", bytes, "image/jpeg", default);

        Assert.Equal(("a/b.jpg", 300_000L), (stored.Key, stored.Bytes));
        Assert.Equal(SHA256.HashData(bytes), stored.Sha256);
        Assert.Equal(bytes, await ReadAsync("a/b.jpg"));
    }

    [Fact]
    public async Task A_hash_that_does_not_match_the_bytes_stores_nothing()
    {
        await Assert.ThrowsAnyAsync<StorageException>(() => _store.PutAsync("k", "bytes"u8.ToArray(), "text/csv", default, SHA256.HashData("others"u8)));
        await Assert.ThrowsAsync<ObjectNotFoundException>(() => _store.OpenReadAsync("k", default));
    }

    [Theory]
    [InlineData("image/jpeg", "inline", true)]
    [InlineData("image/avif", "inline", true)]
    [InlineData("image/svg+xml", "attachment", false)]
    [InlineData("text/html", "attachment", false)]
    [InlineData("text/csv", "attachment", false)]
    public async Task Only_safe_images_are_shown_inline_and_cached_as_immutable(string type, string disposition, bool immutable)
    {
        await _store.PutAsync("a/name.ext", "x"u8.ToArray(), type, default);
        using var response = await Http.GetAsync(_store.PresignGet("a/name.ext", TimeSpan.FromMinutes(1)));

        Assert.Equal(type, response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(new ContentDispositionHeaderValue(disposition) { FileName = "\"name.ext\"" }, response.Content.Headers.ContentDisposition);
        Assert.Equal(immutable, response.Headers.CacheControl?.ToString().Contains("immutable", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_missing_object_is_a_permanent_and_typed_error()
    {
        var error = await Assert.ThrowsAsync<ObjectNotFoundException>(() => _store.OpenReadAsync("missing", default));
        Assert.Equal(("missing", "storage_not_found", false), (error.Key, error.Code, error.IsTransient));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(70_000)]
    [InlineData(PartBytes)]
    public async Task Content_that_fits_one_part_needs_one_request(int length)
    {
        var requests = new List<string>();
        _s3.BeforeRequest = context =>
        {
            requests.Add(context.Request.Method);
            return Task.CompletedTask;
        };
        var bytes = RandomNumberGenerator.GetBytes(length);
        var stored = await _store.PutAsync("k", new MemoryStream(bytes), "text/csv", default);

        Assert.Equal(["PUT"], requests);
        Assert.Equal((length, Convert.ToHexString(SHA256.HashData(bytes))), (stored.Bytes, Convert.ToHexString(stored.Sha256)));
        Assert.Equal(bytes, await ReadAsync("k"));
    }

    [Fact]
    public async Task A_long_stream_never_has_more_than_three_parts_in_memory()
    {
        const int megabytes = 64;
        var piece = RandomNumberGenerator.GetBytes(1024 * 1024);
        using var expected = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var arrived = 0;
        _s3.BeforeRequest = context =>
        {
            if (context.Request.Query.ContainsKey("partNumber"))
                Interlocked.Increment(ref arrived);
            return Task.CompletedTask;
        };

        await using var upload = _store.BeginUpload("big", "text/csv");
        for (var i = 1; i <= megabytes; i++)
        {
            expected.AppendData(piece);
            await upload.WriteAsync(piece, default);
            // One part being filled, one being sent, and one just handed over that may not have arrived yet.
            Assert.InRange((i * (long)piece.Length) - (Volatile.Read(ref arrived) * (long)PartBytes), 0, 3L * PartBytes);
        }

        var stored = await upload.CompleteAsync(default);
        var hash = expected.GetHashAndReset();
        Assert.Equal(megabytes * 1024L * 1024, stored.Bytes);
        Assert.Equal(hash, stored.Sha256);
        await using var content = await _store.OpenReadAsync("big", default);
        Assert.Equal(hash, await SHA256.HashDataAsync(content));
    }

    [Fact]
    public async Task An_upload_is_invisible_until_it_is_completed()
    {
        await using var upload = _store.BeginUpload("k", "text/csv");
        await upload.WriteAsync(new byte[(2 * PartBytes) + 10], default);
        Assert.Empty(await ListAsync(""));
        await upload.CompleteAsync(default);
        Assert.Equal(["k"], await ListAsync(""));
    }

    [Theory]
    [InlineData(10)]
    [InlineData((2 * PartBytes) + 10)]
    public async Task An_upload_that_is_not_completed_leaves_nothing(int length)
    {
        await using (var upload = _store.BeginUpload("k", "text/csv"))
            await upload.WriteAsync(new byte[length], default);
        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task An_upload_whose_caller_is_cancelled_leaves_nothing()
    {
        using var cancel = new CancellationTokenSource();
        _s3.BeforeRequest = context =>
        {
            if (context.Request.Method == "PUT")
                cancel.Cancel();
            return Task.CompletedTask;
        };
        await using (var upload = _store.BeginUpload("k", "text/csv"))
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            {
                for (var i = 0; i < 4; i++)
                    await upload.WriteAsync(new byte[PartBytes], cancel.Token);
                await upload.CompleteAsync(cancel.Token);
            });
        }

        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task A_failed_part_fails_the_upload_which_leaves_nothing()
    {
        _s3.BeforeRequest = context => context.Request.Query["partNumber"] == "2" ? TestS3.RefuseAsync(context, 403, "AccessDenied") : Task.CompletedTask;
        await using (var upload = _store.BeginUpload("k", "text/csv"))
        {
            await Assert.ThrowsAsync<StorageDeniedException>(async () =>
            {
                for (var i = 0; i < 4; i++)
                    await upload.WriteAsync(new byte[PartBytes], default);
                await upload.CompleteAsync(default);
            });
        }

        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task Deleting_a_prefix_deletes_its_objects_and_unfinished_uploads_and_nothing_else()
    {
        await Parallel.ForAsync(0, 1_100, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, ct) =>
            await _store.PutAsync($"r/1/{i}", ReadOnlyMemory<byte>.Empty, "text/csv", ct));
        await _store.PutAsync("r/10", ReadOnlyMemory<byte>.Empty, "text/csv", default);
        await using var dangling = _store.BeginUpload("r/1/dangling", "text/csv");
        await dangling.WriteAsync(new byte[PartBytes + 1], default);
        while (!FilesOnDisk().Any(file => file.Contains("uploads", StringComparison.Ordinal)))
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);

        await _store.DeletePrefixAsync("r/1/", default);
        Assert.Equal(["r/10"], await ListAsync(""));
        Assert.Single(FilesOnDisk());
        await Assert.ThrowsAnyAsync<ArgumentException>(() => _store.DeletePrefixAsync("", default));
    }

    [Fact]
    public async Task A_missing_bucket_is_created_even_by_concurrent_callers()
    {
        var store = _s3.CreateStore(connectionString: _s3.ConnectionString.Replace("Bucket=darkroom", "Bucket=fresh", StringComparison.Ordinal));
        await Assert.ThrowsAsync<ObjectNotFoundException>(() => store.CheckAsync(default));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => store.EnsureBucketAsync(default)));
        await store.CheckAsync(default);
        await store.EnsureBucketAsync(default);
    }

    private async Task<byte[]> ReadAsync(string key)
    {
        await using var content = await _store.OpenReadAsync(key, default);
        using var copy = new MemoryStream();
        await content.CopyToAsync(copy);
        return copy.ToArray();
    }

    private async Task<List<string>> ListAsync(string prefix)
    {
        var keys = new List<string>();
        await foreach (var found in _store.ListAsync(prefix, default))
            keys.Add(found.Key);
        return keys;
    }

    /// <summary>Polls, because the endpoint notices a cut-off request slightly later than the client.</summary>
    private async Task AssertNothingIsLeftAsync()
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (FilesOnDisk().Length > 0)
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, timeout.Token);
    }

    private string[] FilesOnDisk() => Directory.GetFiles(_s3.DataFolder, "*", SearchOption.AllDirectories);
}
