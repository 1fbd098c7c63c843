using System.Diagnostics;
using Darkroom.Data;
using Darkroom.Tests.Infrastructure;
using StackExchange.Redis;
using static Darkroom.Tests.Queue.UnsharedQueue;

namespace Darkroom.Tests.Queue;

/// <summary>How the queue notices on every supported server that it has lost something, and is whole again.</summary>
public sealed class ImageQueueRepairTests
{
    [Theory, OnGarnet, OnRedisServer]
    public async Task Images_that_are_not_queued_are_found(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var queue = await QueueOn(redis);
        Assert.Equal(Ids(1, 3), await queue.FindMissingAsync(Ids(1, 3)));
        await queue.PushAsync(NewRequest(), Ids(1, 3));
        await queue.PopAsync(1);

        Assert.Equal([.. Ids(1, 1), .. Ids(4, 2)], await queue.FindMissingAsync(Ids(1, 5)));
    }

    [Theory, OnGarnet, OnRedisServer]
    public async Task One_process_a_period_checks_for_lost_ids(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var (first, second) = (await QueueOn(redis), await QueueOn(redis));

        Assert.True(await first.TryBeginCheckAsync(TimeSpan.FromMinutes(10)));
        Assert.False(await second.TryBeginCheckAsync(TimeSpan.FromMinutes(10)));
        Assert.False(await first.TryBeginCheckAsync(TimeSpan.FromMinutes(10)));
    }

    [Theory, OnGarnet, OnRedisServer]
    public async Task Images_are_queued_again_after_any_key_of_the_queue_is_lost(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var queue = await QueueOn(redis);
        var server = (await redis.ConnectAsync()).GetDatabase();
        foreach (var key in new[] { "queue", "owners", "lines", "rings" })
        {
            var (first, second) = (NewRequest(), NewRequest());
            await queue.PushAsync(first, Ids(1, 4));
            await queue.PushAsync(second, Ids(101, 4));
            Assert.True(await server.KeyDeleteAsync($"{{darkroom}}:images:{key}"));

            // What can still be reached is served; what cannot is missing and pushed again.
            var served = new HashSet<ImageId>(await queue.PopAsync(100));
            var missing = (await queue.FindMissingAsync([.. Ids(1, 4), .. Ids(101, 4)])).Except(served).ToLookup(image => image.Value < 100);
            await queue.PushAsync(first, [.. missing[true]]);
            await queue.PushAsync(second, [.. missing[false]]);
            served.UnionWith(await queue.PopAsync(100));

            Assert.Equal([.. Ids(1, 4), .. Ids(101, 4)], served.OrderBy(image => image.Value));
        }
    }

    [Theory, OnGarnet, OnRedisServer]
    public async Task Data_loss_is_detected_by_one_process_and_settled_once(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var queue = await QueueOn(redis);

        var mark = await queue.TryBeginRebuildAsync(TimeSpan.FromSeconds(30));
        Assert.NotNull(mark);
        Assert.Null(await queue.TryBeginRebuildAsync(TimeSpan.FromSeconds(30)));
        Assert.True(await queue.SettleAsync(mark));
        Assert.Null(await queue.TryBeginRebuildAsync(TimeSpan.FromSeconds(30)));

        await redis.FlushAsync();
        Assert.NotNull(await queue.TryBeginRebuildAsync(TimeSpan.FromSeconds(30)));
    }

    [Theory, OnGarnet, OnRedisServer]
    public async Task Rebuild_interrupted_by_a_flush_does_not_settle(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var queue = await QueueOn(redis);
        var mark = await queue.TryBeginRebuildAsync(TimeSpan.FromSeconds(30));

        await redis.FlushAsync();

        Assert.False(await queue.SettleAsync(mark!));
        Assert.NotNull(await queue.TryBeginRebuildAsync(TimeSpan.FromSeconds(30)));
    }

    [Theory, OnGarnet, OnRedisServer]
    public async Task Rebuild_whose_process_died_is_restarted_by_another(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var queue = await QueueOn(redis);
        Assert.NotNull(await queue.TryBeginRebuildAsync(TimeSpan.FromMilliseconds(50)));

        var waited = Stopwatch.StartNew();
        string? mark = null;
        while (mark is null && waited.Elapsed < TimeSpan.FromSeconds(10))
            mark = await queue.TryBeginRebuildAsync(TimeSpan.FromSeconds(30));
        Assert.NotNull(mark);
    }

    [Theory, OnGarnet, OnRedisServer]
    public async Task Keys_that_another_program_has_overwritten_are_deleted_and_everything_is_pushed_again(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var queue = await QueueOn(redis);
        Assert.True(await queue.SettleAsync((await queue.TryBeginRebuildAsync(TimeSpan.FromSeconds(30)))!));
        await queue.PushAsync(NewRequest(), Ids(1, 3));
        var server = (await redis.ConnectAsync()).GetDatabase();
        await server.KeyDeleteAsync("{darkroom}:images:queue");
        await server.StringSetAsync("{darkroom}:images:queue", "not a queue");

        await Assert.ThrowsAnyAsync<RedisException>(() => queue.PopAsync(10));

        Assert.NotNull(await queue.TryBeginRebuildAsync(TimeSpan.FromSeconds(30)));
        await queue.PushAsync(NewRequest(), Ids(1, 3));
        Assert.Equal(Ids(1, 3), await queue.PopAsync(10));
    }

    [Theory, OnGarnet, OnRedisServer]
    public async Task An_overwritten_epoch_does_not_hide_a_loss_of_data(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var queue = await QueueOn(redis);
        await (await redis.ConnectAsync()).GetDatabase().ListLeftPushAsync("{darkroom}:images:epoch", "not an epoch");

        var mark = await queue.TryBeginRebuildAsync(TimeSpan.FromSeconds(30));

        Assert.NotNull(mark);
        Assert.True(await queue.SettleAsync(mark));
    }

    [Theory, OnGarnet, OnRedisServer]
    public async Task Scripts_are_reloaded_when_the_server_has_lost_them(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var queue = await QueueOn(redis);
        await queue.PushAsync(NewRequest(), Ids(1, 2));

        await (await redis.ConnectAsync()).GetDatabase().ExecuteAsync("SCRIPT", "FLUSH");
        await queue.PushAsync(NewRequest(), Ids(3, 1));

        Assert.Equal(3, (await queue.PopAsync(10)).Count);
    }

    [Theory, OnGarnet, OnRedisServer]
    public async Task Server_is_used_again_after_an_outage(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var queue = await QueueOn(redis);
        await queue.PushAsync(NewRequest(), Ids(1, 1));
        await redis.StopAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => queue.PopAsync(1));

        await redis.StartAsync();

        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await queue.PushAsync(NewRequest(), Ids(2, 1));
                break;
            }
            catch (Exception e) when (e is RedisException or TimeoutException && waited.Elapsed < TimeSpan.FromSeconds(30))
            {
                // The client is still connecting.
            }
        }

        Assert.Equal(Ids(2, 1), await queue.PopAsync(10));
    }

    [Theory, OnRedisServer]
    public async Task Eviction_policy_is_read_if_the_server_reports_it(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        Assert.Equal("noeviction", await (await QueueOn(redis)).ReadEvictionPolicyAsync());
    }
}
