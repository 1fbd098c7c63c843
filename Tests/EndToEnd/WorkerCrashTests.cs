using Darkroom.AppHost.Hosting;
using Darkroom.Data;

namespace Darkroom.Tests.EndToEnd;

/// <summary>
/// Guarantees 1 and 2 when workers crash or are told to stop: each row ends once, each object exists, and the webhook has one id.
/// </summary>
public sealed class WorkerCrashTests
{
    [Fact]
    public async Task Three_hundred_images_survive_two_kills_of_their_worker()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 0);
        var first = system.StartWorkerProcess();
        var run = await LargeRun.StartAsync(system);

        await run.ReachAsync(50);
        await first.KillAsync();
        var second = system.StartWorkerProcess();
        await run.ReachAsync(150);
        await second.KillAsync();
        system.StartWorkerProcess();

        await run.CheckAsync(system);
    }

    [Fact]
    public async Task A_worker_may_die_at_the_moment_Redis_loses_all_data()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 0);
        var dying = system.StartWorkerProcess();
        system.StartWorkerProcess();
        var run = await LargeRun.StartAsync(system);

        await run.ReachAsync(100);
        await Task.WhenAll(system.Redis.FlushAsync(), dying.KillAsync());
        system.StartWorkerProcess();

        await run.CheckAsync(system);
    }

    [Fact]
    public async Task A_worker_that_is_asked_to_stop_releases_its_claims_and_fails_nothing()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 0);
        var stopped = system.StartWorkerProcess();
        var run = await LargeRun.StartAsync(system);
        await run.ReachAsync(75);

        Assert.Equal(0, await stopped.StopAsync());
        var held = await system.Database.DataSource.Sql("select count(*) from images where state = 'running'").ExecuteScalarAsync();
        Assert.Equal(0L, held);
        system.StartWorkerProcess();

        await run.CheckAsync(system);
    }

    [Fact]
    public async Task A_worker_that_is_asked_to_stop_during_startup_shuts_down_gracefully()
    {
        await using var worker = ServiceProcess.Start(new Dictionary<string, string>
        {
            ["ConnectionStrings:darkroom"] = $"Host=127.0.0.1;Port={FreePort.Find()};Username=nobody;Database=none",
            ["ConnectionStrings:redis"] = $"127.0.0.1:{FreePort.Find()},abortConnect=false",
            ["ConnectionStrings:s3"] = "Endpoint=http://127.0.0.1:1;Region=us-east-1;Bucket=none;ForcePathStyle=true;AccessKey=a;SecretKey=b",
            ["Links:BaseUrl"] = "http://127.0.0.1:1",
        });
        await worker.SaysAsync("Waiting for the database");

        Assert.Equal(0, await worker.StopAsync());
        Assert.DoesNotContain("Unhandled exception", worker.Output, StringComparison.Ordinal);
    }
}
