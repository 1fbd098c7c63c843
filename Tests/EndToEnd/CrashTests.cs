using Darkroom.AppHost.Hosting;
using Darkroom.Schema;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.EndToEnd;

/// <summary>Promises 1 and 2: whatever dies, each row ends once, each object is there, and the webhook has one id.</summary>
public sealed class CrashTests
{
    [Fact]
    public async Task Three_hundred_images_survive_two_kills_of_their_worker()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 0);
        var first = system.StartWorker();
        var run = await LargeRun.StartAsync(system);

        await run.ReachAsync(50);
        await first.KillAsync();
        var second = system.StartWorker();
        await run.ReachAsync(150);
        await second.KillAsync();
        system.StartWorker();

        await run.CheckAsync(system);
    }

    [Fact]
    public async Task A_worker_may_die_in_the_moment_that_Redis_forgets_everything()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 2);
        var run = await LargeRun.StartAsync(system);

        await run.ReachAsync(100);
        await Task.WhenAll(system.Redis.FlushAsync(), system.Workers[0].KillAsync());
        system.StartWorker();

        await run.CheckAsync(system);
    }

    [Theory]
    [OnGarnet]
    [OnRedisServer]
    public async Task Redis_may_forget_everything_at_any_moment(RedisKind kind)
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

    [Fact]
    public async Task Every_connection_to_Postgres_may_break_at_any_moment()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 2);
        var run = await LargeRun.StartAsync(system);
        foreach (var images in (int[])[50, 100, 150, 200])
        {
            await run.ReachAsync(images);
            await system.Database.BreakConnectionsAsync();
        }

        await run.CheckAsync(system);
    }

    [Fact]
    public async Task Postgres_may_be_restarted()
    {
        await using var postgres = await RestartablePostgres.StartAsync();
        await using var system = await DarkroomSystem.StartAsync(workers: 2, postgres: postgres.ConnectionString);
        var run = await LargeRun.StartAsync(system);
        foreach (var images in (int[])[60, 180])
        {
            await run.ReachAsync(images);
            await postgres.RestartAsync();
        }

        await run.CheckAsync(system);
    }

    [Fact]
    public async Task S3_may_stop_and_start_again()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 1);
        var run = await LargeRun.StartAsync(system);
        await run.ReachAsync(75);
        await system.S3.RestartAsync();
        await run.CheckAsync(system);
    }

    [Fact]
    public async Task A_worker_that_is_asked_to_stop_hands_back_what_it_has_and_fails_nothing()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 0);
        var stopped = system.StartWorker();
        var run = await LargeRun.StartAsync(system);
        await run.ReachAsync(75);

        Assert.Equal(0, await stopped.StopAsync(TimeSpan.FromSeconds(30)));
        var held = await system.Database.DataSource.Sql("select count(*) from images where state = 'running'").ExecuteScalarAsync();
        Assert.Equal(0L, held);
        system.StartWorker();

        await run.CheckAsync(system);
    }

    [Fact]
    public async Task A_worker_that_is_asked_to_stop_while_it_starts_ends_in_order()
    {
        await using var worker = WorkerProcess.Start(new Dictionary<string, string>
        {
            ["ConnectionStrings:darkroom"] = $"Host=127.0.0.1;Port={FreePort.Find()};Username=nobody;Database=none",
            ["ConnectionStrings:redis"] = $"127.0.0.1:{FreePort.Find()},abortConnect=false",
            ["ConnectionStrings:s3"] = "Endpoint=http://127.0.0.1:1;Region=us-east-1;Bucket=none;ForcePathStyle=true;AccessKey=a;SecretKey=b",
            ["Links:BaseUrl"] = "http://127.0.0.1:1",
        });
        await worker.SaysAsync("Waiting for the database");

        Assert.Equal(0, await worker.StopAsync(TimeSpan.FromSeconds(30)));
        Assert.DoesNotContain("Unhandled exception", worker.Output, StringComparison.Ordinal);
    }
}
