using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.EndToEnd;

/// <summary>Guarantees 1 and 2 when Redis loses all its data: it is rebuilt from Postgres.</summary>
public sealed class RedisOutageTests
{
    [Theory]
    [OnGarnet]
    [OnRedisServer]
    public async Task Redis_may_lose_all_data_at_any_moment(RedisKind kind)
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 2, redis: kind);
        var run = await LargeRun.StartAsync(system);
        foreach (var images in (int[])[50, 120, 190])
        {
            await run.ReachAsync(images);
            await system.Redis.FlushAsync();
        }

        await run.CheckAsync(system);
    }

    [Theory]
    [OnGarnet]
    [OnRedisServer]
    public async Task Redis_may_be_killed_and_come_back_empty(RedisKind kind)
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 2, redis: kind);
        var run = await LargeRun.StartAsync(system);

        await run.ReachAsync(100);
        await system.Redis.StopAsync();
        await system.Redis.StartAsync();

        await run.CheckAsync(system);
    }
}
