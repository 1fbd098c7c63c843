using Darkroom.Api.RateLimits;
using Darkroom.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Darkroom.Tests.RateLimits;

/// <summary>The contract of the buckets in Redis, on every supported server.</summary>
public sealed class SharedBucketsContractTests
{
    [Theory, OnGarnet, OnRedisServer]
    public async Task Eight_processes_that_share_a_bucket_take_its_burst_and_no_more(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var processes = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => BucketsOn(redis, perMinute: 1, burst: 100)));

        var readings = await Task.WhenAll(processes.SelectMany(process => Enumerable.Range(0, 50).Select(_ => TakeAsync(process, "key"))));

        var taken = readings.Where(reading => reading.Taken).ToList();
        Assert.Equal(100, taken.Count);
        Assert.Equal(Enumerable.Range(0, 100), taken.Select(reading => reading.Remaining).Order());
        Assert.All(readings, reading => Assert.InRange(reading.NextIn, TimeSpan.FromTicks(1), TimeSpan.FromMinutes(1)));
        Assert.Equal(99, (await TakeAsync(processes[0], "another")).Remaining);
    }

    [Theory, OnGarnet, OnRedisServer]
    public async Task An_empty_bucket_is_refilled_by_the_servers_clock(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var buckets = await BucketsOn(redis, perMinute: 600, burst: 3);
        while ((await TakeAsync(buckets, "key")).Taken)
        {
        }

        await Eventually.TrueAsync(async () => (await TakeAsync(buckets, "key")).Taken);
    }

    [Theory, OnGarnet, OnRedisServer]
    public async Task A_bucket_expires_when_it_is_full(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var buckets = await BucketsOn(redis, perMinute: 6, burst: 1_000);

        await TakeAsync(buckets, "key");

        var client = await redis.ConnectAsync();
        var expiry = await client.GetDatabase().KeyTimeToLiveAsync("darkroom:rate:key");
        Assert.InRange(expiry!.Value, TimeSpan.FromTicks(1), TimeSpan.FromSeconds(10));
    }

    [Theory, OnGarnet, OnRedisServer]
    public async Task A_bucket_that_another_program_or_a_clock_has_spoilt_refuses_for_no_longer_than_it_takes_to_refill(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var buckets = await BucketsOn(redis, perMinute: 6_000, burst: 10);
        var client = await redis.ConnectAsync();

        await client.GetDatabase().StringSetAsync("darkroom:rate:future", "9007199254740991");
        await client.GetDatabase().StringSetAsync("darkroom:rate:text", "nonsense");

        Assert.InRange((await TakeAsync(buckets, "future")).Missing, 0, 100_000);
        Assert.Equal(9, (await TakeAsync(buckets, "text")).Remaining);
    }

    /// <summary>Garnet keeps the two types apart, so there the bucket is simply full.</summary>
    [Theory, OnRedisServer]
    public async Task A_key_of_another_type_is_no_answer_and_so_the_process_counts_by_itself(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var buckets = await BucketsOn(redis, perMinute: 6_000, burst: 10);
        var client = await redis.ConnectAsync();

        await client.GetDatabase().ListLeftPushAsync("darkroom:rate:key", "x");

        Assert.Null(await buckets.TakeAsync("key"));
    }

    private static async Task<BucketReading> TakeAsync(SharedBuckets buckets, string key) =>
        Assert.NotNull(await buckets.TakeAsync(key));

    private static async Task<SharedBuckets> BucketsOn(TestRedis redis, int perMinute, int burst)
    {
        var options = Options.Create(new RateLimitOptions { RequestsPerMinute = perMinute, Burst = burst, RedisTimeout = TimeSpan.FromMinutes(1) });
        var services = new ServiceCollection().AddSingleton<IConnectionMultiplexer>(await redis.ConnectAsync()).BuildServiceProvider();
        var buckets = new SharedBuckets(services, options, TimeProvider.System, NullLogger<SharedBuckets>.Instance);
        await buckets.ProbeAsync(CancellationToken.None);
        Assert.True(buckets.InUse);
        return buckets;
    }
}
