using System.Collections.Concurrent;
using System.Diagnostics;
using Darkroom.Data;
using Darkroom.Queue;
using Darkroom.Tests.Infrastructure;
using static Darkroom.Tests.Queue.UnsharedQueue;

namespace Darkroom.Tests.Queue;

/// <summary>The queue's contract, on every supported server: turns, shares and places.</summary>
public sealed class ImageQueueContractTests
{
    [Theory, OnGarnet, OnRedisServer]
    public async Task Eight_claimers_racing_for_4000_images_lose_none_and_duplicate_none(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var requests = Enumerable.Range(0, 8).Select(r => (Id: NewRequest(), Images: Ids(r * 500 + 1, 500))).ToList();
        var popped = new ConcurrentBag<ImageId>();
        var all = requests.Sum(r => r.Images.Count);

        var claimers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => QueueOn(redis)));
        var pushers = requests.Select(async (request, i) =>
        {
            foreach (var slice in request.Images.Chunk(50))
                await claimers[i].PushAsync(request.Id, slice);
        });
        using var patience = new CancellationTokenSource(Eventually.Patience);
        var claims = claimers.Select(async (queue, i) =>
        {
            while (popped.Count < all && !patience.IsCancellationRequested)
                foreach (var image in await queue.PopAsync(1 + i))
                    popped.Add(image);
        });
        await Task.WhenAll(pushers.Concat(claims));

        Assert.Equal(requests.SelectMany(r => r.Images).Select(i => i.Value), popped.Select(i => i.Value).Order());
    }

    [Theory, OnGarnet, OnRedisServer]
    public async Task Request_of_ten_images_does_not_wait_behind_one_of_a_hundred_thousand(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var queue = await QueueOn(redis);
        await queue.PushAsync(NewRequest(), Ids(1, 100_000));
        await queue.PopAsync(50);

        var small = Ids(200_001, 10);
        await queue.PushAsync(NewRequest(), small);

        Assert.Subset((await queue.PopAsync(21)).ToHashSet(), small.ToHashSet());
    }

    [Theory, OnGarnet, OnRedisServer]
    public async Task Requests_are_served_in_rotation_and_each_in_its_own_order(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var queue = await QueueOn(redis);
        await queue.PushAsync(NewRequest(), Ids(100, 6));
        await queue.PushAsync(NewRequest(), Ids(200, 4));
        await queue.PushAsync(NewRequest(), Ids(300, 2));

        var rounds = new List<long[]>();
        foreach (var size in new[] { 3, 3, 2, 2, 1, 1 })
            rounds.Add([.. (await queue.PopAsync(size)).Select(i => i.Value).Order()]);

        Assert.Equal([[100, 200, 300], [101, 201, 301], [102, 202], [103, 203], [104], [105]], rounds);
    }

    [Theory, OnGarnet, OnRedisServer]
    public async Task Request_fed_in_slices_gets_no_more_than_its_share(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var queue = await QueueOn(redis);
        var (greedy, modest) = (NewRequest(), NewRequest());
        await queue.PushAsync(greedy, Ids(1, 100));
        await queue.PushAsync(modest, Ids(1_001, 100));
        for (var slice = 0; slice < 5; slice++)
            await queue.PushAsync(greedy, Ids(101 + slice * 10, 10));

        Assert.Equal(50, (await queue.PopAsync(100)).Count(i => i.Value > 1_000));
    }

    [Theory, OnGarnet, OnRedisServer]
    public async Task Owners_take_turns_however_many_requests_they_have(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var queue = await QueueOn(redis);
        var (many, one) = (NewOwner(), NewOwner());
        for (var request = 0; request < 5; request++)
            await queue.PushAsync(many, NewRequest(), Ids(1 + (request * 100), 100));
        await queue.PushAsync(one, NewRequest(), Ids(1_001, 100));

        var popped = await queue.PopAsync(100);

        Assert.Equal(50, popped.Count(image => image.Value > 1_000));
        Assert.All(Enumerable.Range(0, 5), request => Assert.Equal(10, popped.Count(image => (image.Value - 1) / 100 == request)));
    }

    [Theory, OnGarnet, OnRedisServer]
    public async Task An_owner_alone_leaves_the_last_quarter_of_the_places_free(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var queue = await QueueOn(redis);
        var (first, second) = (NewOwner(), NewOwner());
        await queue.PushAsync(first, NewRequest(), Ids(1, 100));

        Assert.Equal(18, (await queue.PopAsync(new PlaceUsage(24, 24, []))).Images.Count);
        Assert.Empty((await queue.PopAsync(new PlaceUsage(6, 24, [new(first, 18)]))).Images);

        await queue.PushAsync(second, NewRequest(), Ids(1_001, 8));
        Assert.Equal(Ids(1_001, 6), (await queue.PopAsync(new PlaceUsage(6, 24, [new(first, 18)]))).Images);
        // One has borrowed, the other is still short of its share.
        var full = await queue.PopAsync(new PlaceUsage(0, 24, [new(first, 18), new(second, 6)]));
        Assert.Equal((12, 2), (full.Share, full.Missing));
        Assert.Empty(full.Images);
        Assert.Equal(Ids(1_007, 2), (await queue.PopAsync(new PlaceUsage(2, 24, [new(first, 16), new(second, 6)]))).Images);
    }

    [Theory, OnGarnet, OnRedisServer]
    public async Task No_owner_gets_more_places_than_the_limit_however_many_are_free(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var queue = await QueueOn(redis);
        var (first, second) = (NewOwner(), NewOwner());
        await queue.PushAsync(first, NewRequest(), Ids(1, 100));

        Assert.Equal(Ids(1, 5), (await queue.PopAsync(new PlaceUsage(24, 24, [], PerOwner: 5))).Images);
        // Had it more while the limit was higher, it waits.
        Assert.Empty((await queue.PopAsync(new PlaceUsage(17, 24, [new(first, 7)], PerOwner: 5))).Images);

        await queue.PushAsync(second, NewRequest(), Ids(1_001, 100));
        Assert.Equal(Ids(1_001, 5), (await queue.PopAsync(new PlaceUsage(19, 24, [new(first, 5)], PerOwner: 5))).Images);
        // Who has reached the limit misses nothing.
        Assert.Equal(0, (await queue.PopAsync(new PlaceUsage(0, 24, [new(first, 5), new(second, 5)], PerOwner: 5))).Missing);
    }

    [Theory, OnGarnet, OnRedisServer]
    public async Task Turns_that_an_owner_could_not_take_are_not_saved_up(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var queue = await QueueOn(redis);
        var (blocked, other) = (NewOwner(), NewOwner());
        await queue.PushAsync(blocked, NewRequest(), Ids(1, 100));
        await queue.PushAsync(other, NewRequest(), Ids(1_001, 100));
        var popped = new List<ImageId>();
        for (var i = 0; i < 5; i++)
            popped.AddRange((await queue.PopAsync(new PlaceUsage(6, 24, [new(blocked, 18)]))).Images);
        Assert.Equal(Ids(1_001, 30), popped);

        var next = await queue.PopAsync(20);

        Assert.InRange(next.Count(image => image.Value <= 1_000), 10, 11);
    }

    [Theory, OnGarnet, OnRedisServer]
    public async Task Pushing_again_adds_no_duplicates_and_keeps_every_turn(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var queue = await QueueOn(redis);
        var request = NewRequest();
        await queue.PushAsync(request, Ids(1, 20));
        await queue.PopAsync(5);

        await queue.PushAsync(request, Ids(6, 20));
        await queue.PushAsync(request, Enumerable.Reverse(Ids(6, 20)).ToList());

        Assert.Equal(20, await queue.CountAsync());
        Assert.Equal(Ids(6, 20), await queue.PopAsync(100));
    }

    [Theory, OnGarnet, OnRedisServer]
    public async Task Removing_a_request_leaves_the_others(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var queue = await QueueOn(redis);
        var cancelled = NewRequest();
        await queue.PushAsync(cancelled, Ids(1, 700));
        await queue.PushAsync(NewRequest(), Ids(1_001, 3));

        await queue.RemoveAsync(cancelled);

        Assert.Equal(Ids(1_001, 3), await queue.PopAsync(10));
    }

    [Theory, OnGarnet, OnRedisServer]
    public async Task A_removed_request_may_be_queued_again_in_its_turn(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var queue = await QueueOn(redis);
        var (first, retried, last) = (NewRequest(), NewRequest(), NewRequest());
        await queue.PushAsync(first, Ids(1, 4));
        await queue.PushAsync(retried, Ids(101, 4));
        await queue.PushAsync(last, Ids(201, 4));
        Assert.Equal([.. Ids(1, 1), .. Ids(101, 1)], await queue.PopAsync(2));

        await queue.RemoveAsync(retried);
        await queue.RemoveAsync(retried);
        await queue.PushAsync(retried, Ids(102, 2));

        var order = (await queue.PopAsync(100)).Select(image => image.Value);
        Assert.Equal([201, 2, 102, 202, 3, 103, 203, 4, 204], order);
    }

    [Theory, OnGarnet, OnRedisServer]
    public async Task Images_removed_from_the_queue_are_no_longer_missing_to_their_owner(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var queue = await QueueOn(redis);
        var (owner, other, cancelled) = (NewOwner(), NewOwner(), NewRequest());
        await queue.PushAsync(owner, cancelled, Ids(1, 3));
        await queue.PushAsync(owner, NewRequest(), Ids(101, 2));
        var full = new PlaceUsage(0, 24, [new(other, 24)]);
        Assert.Equal(5, (await queue.PopAsync(full)).Missing);

        await queue.RemoveAsync(owner, cancelled);

        Assert.Equal(2, (await queue.PopAsync(full)).Missing);
    }

    [Theory, OnGarnet, OnRedisServer]
    public async Task Empty_queue_leaves_no_keys_behind(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var queue = await QueueOn(redis);
        for (var request = 0; request < 20; request++)
            await queue.PushAsync(NewRequest(), Ids(request * 10 + 1, 10));

        Assert.Equal(200, (await queue.PopAsync(500)).Count);

        var client = await redis.ConnectAsync();
        Assert.Equal(0L, (long)await client.GetDatabase().ExecuteAsync("DBSIZE"));
    }

    [Theory, OnGarnet, OnRedisServer]
    public async Task Push_wakes_a_claimer_in_another_process(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var (pusher, claimer) = (await QueueOn(redis), await QueueOn(redis, pollSeconds: 60));
        var waiting = claimer.WaitForWorkAsync(default);

        // The subscription may not be active yet: push until it is.
        var waited = Stopwatch.StartNew();
        for (var id = 1; !waiting.IsCompleted && waited.Elapsed < TimeSpan.FromSeconds(20); id++)
        {
            await pusher.PushAsync(NewRequest(), Ids(id, 1));
            await Task.WhenAny(waiting, Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System));
        }

        Assert.True(waiting.IsCompletedSuccessfully);
    }
}
