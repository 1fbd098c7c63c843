using System.Collections.Concurrent;
using System.Diagnostics;
using Darkroom.Storage;
using Darkroom.Tests.Infrastructure;
using Microsoft.AspNetCore.Http;

namespace Darkroom.Tests.Storage;

/// <summary>The object store when S3 fails, stalls or rejects requests.</summary>
public sealed class ObjectStoreFaultTests : IAsyncLifetime
{
    private TestS3 _s3 = null!;
    private int _requests;

    public async Task InitializeAsync() => _s3 = await TestS3.StartAsync();

    public async Task DisposeAsync() => await _s3.DisposeAsync();

    [Fact]
    public async Task One_request_in_five_failing_fails_no_put_and_at_most_triples_the_requests()
    {
        var random = new Random(20_260_101);
        Serve(context => random.Next(5) == 0 ? TestS3.RefuseAsync(context, 503, "SlowDown") : Task.CompletedTask);
        var store = _s3.CreateStore();

        for (var i = 0; i < 60; i++)
            await store.PutAsync($"k{i}", new byte[1000], "image/jpeg", default);
        Assert.InRange(_requests, 61, 180);
    }

    [Fact]
    public async Task A_store_that_is_down_is_retried_a_limited_number_of_times_and_reported_as_transient()
    {
        Serve(context => TestS3.RefuseAsync(context, 500, "InternalError"));
        var error = await Assert.ThrowsAsync<StorageUnavailableException>(() => _s3.CreateStore(o => o.Retries = 2).CheckAsync(default));

        Assert.Equal(("storage_unavailable", true), (error.Code, error.IsTransient));
        Assert.Equal(3, _requests);
    }

    [Theory]
    [InlineData(403, "AccessDenied")]
    [InlineData(403, "SignatureDoesNotMatch")]
    [InlineData(401, "Unauthorized")]
    public async Task A_rejection_is_permanent_and_not_retried(int status, string code)
    {
        Serve(context => TestS3.RefuseAsync(context, status, code));
        var error = await Assert.ThrowsAsync<StorageDeniedException>(() => _s3.CreateStore().PutAsync("k", new byte[10], "image/jpeg", default));

        Assert.Equal(("storage_denied", false), (error.Code, error.IsTransient));
        Assert.InRange(_requests, 1, 2);
    }

    [Fact]
    public async Task An_attempt_that_stalls_times_out_and_the_next_succeeds()
    {
        Serve(context => _requests == 1 ? StallAsync(context) : Task.CompletedTask);
        var clock = Stopwatch.StartNew();
        await _s3.CreateStore(o => o.Try = TimeSpan.FromSeconds(0.5)).PutAsync("k", new byte[10], "image/jpeg", default);

        Assert.Equal(2, _requests);
        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(0.4), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_store_that_always_stalls_is_unavailable_after_a_bounded_time()
    {
        // Counted by the SDK's attempt number: an attempt that times out while connecting never arrives, and one that does arrive may
        // arrive twice, on a new connection.
        var attempts = new ConcurrentQueue<string>();
        Serve(context =>
        {
            attempts.Enqueue(context.Request.Headers["amz-sdk-request"].ToString());
            return StallAsync(context);
        });
        await Assert.ThrowsAsync<StorageUnavailableException>(() => _s3.CreateStore(o =>
        {
            o.Try = TimeSpan.FromSeconds(1);
            o.Retries = 1;
        }).PutAsync("k", new byte[10], "image/jpeg", default));
        Assert.Equal("attempt=2; max=2", attempts.Max(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_body_that_stalls_halfway_fails_the_read()
    {
        var store = _s3.CreateStore(o => o.Try = TimeSpan.FromSeconds(0.3));
        Serve(async context =>
        {
            context.Response.ContentLength = 1000;
            await context.Response.Body.WriteAsync(new byte[500]);
            await context.Response.Body.FlushAsync();
            await StallAsync(context);
        });
        await using var content = await store.OpenReadAsync("k", default);
        await Assert.ThrowsAsync<StorageUnavailableException>(async () => await content.CopyToAsync(Stream.Null));
    }

    [Fact]
    public async Task A_body_that_is_cut_off_fails_the_read()
    {
        var opened = new TaskCompletionSource();
        Serve(async context =>
        {
            context.Response.ContentLength = 1000;
            await context.Response.Body.WriteAsync(new byte[500]);
            await context.Response.Body.FlushAsync();
            await opened.Task;
            context.Abort();
        });
        await using var content = await _s3.CreateStore().OpenReadAsync("k", default);
        opened.SetResult();
        await Assert.ThrowsAsync<StorageUnavailableException>(async () => await content.CopyToAsync(Stream.Null));
    }

    [Fact]
    public async Task Bytes_corrupted_in_the_store_fail_the_read()
    {
        var store = _s3.CreateStore();
        await store.PutAsync("k", "the right bytes"u8.ToArray(), "text/csv", default);
        var file = Directory.EnumerateFiles(Path.Join(_s3.DataFolder, "buckets"), "*", SearchOption.AllDirectories).Single();
        var bytes = await File.ReadAllBytesAsync(file);
        bytes[0] ^= 1;
        await File.WriteAllBytesAsync(file, bytes);

        await using var content = await store.OpenReadAsync("k", default);
        await Assert.ThrowsAsync<StorageUnavailableException>(async () => await content.CopyToAsync(Stream.Null));
    }

    [Fact]
    public async Task A_put_confirmed_with_another_hash_fails()
    {
        Serve(context =>
        {
            context.Response.Headers["x-amz-checksum-sha256"] = Convert.ToBase64String(new byte[32]);
            return context.Response.CompleteAsync();
        });
        await Assert.ThrowsAsync<StorageUnavailableException>(() => _s3.CreateStore().PutAsync("k", new byte[10], "image/jpeg", default));
    }

    [Fact]
    public async Task A_completion_with_an_error_in_a_200_response_fails()
    {
        Serve(context => HttpMethods.IsPost(context.Request.Method) && context.Request.Query.ContainsKey("uploadId")
            ? TestS3.RefuseAsync(context, 200, "InternalError")
            : Task.CompletedTask);
        await using var upload = _s3.CreateStore(o => o.Retries = 1).BeginUpload("k", "text/csv");
        await upload.WriteAsync(new byte[6 * 1024 * 1024], default);
        await Assert.ThrowsAsync<StorageUnavailableException>(() => upload.CompleteAsync(default));
    }

    [Fact]
    public async Task A_completion_whose_response_is_lost_succeeds_when_retried()
    {
        // The endpoint completes the upload, but its response is delayed beyond the client's timeout.
        var completions = 0;
        var store = _s3.CreateStore(o => o.Try = TimeSpan.FromSeconds(2));
        Serve(context =>
        {
            if (HttpMethods.IsPost(context.Request.Method) && context.Request.Query.ContainsKey("uploadId") && ++completions == 1)
                context.Response.OnStarting(() => StallAsync(context));
            return Task.CompletedTask;
        });
        await using var upload = store.BeginUpload("k", "text/csv");
        await upload.WriteAsync(new byte[6 * 1024 * 1024], default);
        await upload.CompleteAsync(default);

        Assert.Equal(2, completions);
        await using var content = await store.OpenReadAsync("k", default);
        Assert.Equal(6 * 1024 * 1024, content.Length);
    }

    [Fact]
    public async Task An_unreachable_endpoint_is_unavailable()
    {
        var connection = _s3.ConnectionString;
        await _s3.DisposeAsync();
        var other = await TestS3.StartAsync();
        await Assert.ThrowsAsync<StorageUnavailableException>(() => other.CreateStore(o => o.Retries = 0, connection).CheckAsync(default));
        _s3 = other;
    }

    [Fact]
    public async Task A_caller_who_cancels_gets_a_cancellation_and_not_a_storage_error()
    {
        using var cancel = new CancellationTokenSource();
        Serve(context =>
        {
            cancel.Cancel();
            return StallAsync(context);
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _s3.CreateStore().PutAsync("k", new byte[10], "image/jpeg", cancel.Token));
        Assert.Equal(1, _requests);
    }

    private void Serve(Func<HttpContext, Task> serve) => _s3.BeforeRequest = context =>
    {
        _requests++;
        return serve(context);
    };

    /// <summary>Stalls until the client disconnects.</summary>
    private static async Task StallAsync(HttpContext context)
    {
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        }
        catch (OperationCanceledException)
        {
            context.Abort();
        }
    }
}
