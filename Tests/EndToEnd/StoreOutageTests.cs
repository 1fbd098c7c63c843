namespace Darkroom.Tests.EndToEnd;

/// <summary>Guarantees 1 and 2 while Postgres or S3 is unavailable: work waits, then continues where it stopped.</summary>
public sealed class StoreOutageTests
{
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
}
