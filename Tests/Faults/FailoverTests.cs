using System.Net;
using Darkroom.AppHost.Postgres;
using Darkroom.Data;
using Darkroom.Tests.AppHost;
using Darkroom.Tests.EndToEnd;
using Darkroom.Tests.Infrastructure;
using StackExchange.Redis;
using Xunit.Abstractions;

namespace Darkroom.Tests.Faults;

/// <summary>F6, F7: another server takes over, as in managed services.</summary>
public sealed class FailoverTests(ITestOutputHelper output)
{
    [Theory]
    [OnGarnet]
    [OnRedisServer]
    public async Task Redis_may_fail_over_to_an_empty_replica(RedisKind kind)
    {
        await using var lab = await FaultLab.StartAsync(output, workers: 2, redis: kind);
        await using var replica = await TestRedis.StartAsync(kind);
        var requests = await lab.UploadAsync(200, heldBack: 4);
        await requests[0].ReachAsync(60);

        lab.Redis.MoveTo(EndpointOf(replica));

        await requests[0].ReachAsync(120);
        lab.System.Images.OpenGate();
        await lab.CheckAsync(requests, "Failed over to an empty Redis", TimeSpan.FromMinutes(2));
    }

    /// <summary>The replica still queues images that are done, and misses those offered since.</summary>
    [Theory]
    [OnRedisServer]
    public async Task Redis_may_fail_over_to_a_replica_that_lags_behind(RedisKind kind)
    {
        await using var lab = await FaultLab.StartAsync(output, workers: 2, redis: kind, settings: ("Queue:OfferedPerRequest", "40"));
        await using var replica = await TestRedis.StartAsync(kind);
        var server = (await replica.ConnectAsync()).GetServers().Single();
        var requests = await lab.UploadAsync(200, heldBack: 4);
        await requests[0].ReachAsync(20);
        await server.ReplicaOfAsync(EndpointOf(lab.System.Redis));
        await Eventually.TrueAsync(async () => (await server.InfoRawAsync("replication"))!.Contains("master_link_status:up", StringComparison.Ordinal));
        await server.ExecuteAsync("REPLICAOF", "NO", "ONE");
        await requests[0].ReachAsync(100);

        lab.Redis.MoveTo(EndpointOf(replica));

        await requests[0].ReachAsync(160);
        lab.System.Images.OpenGate();
        await lab.CheckAsync(requests, "Failed over to a Redis that lags behind", TimeSpan.FromMinutes(2));
    }

    [Fact]
    public async Task Postgres_may_fail_over_to_its_synchronous_standby()
    {
        using var folder = new TemporaryFolder();
        // Disposed below, as the failure; if the test fails earlier, its watchdog stops it.
        var primary = await PostgresServer.StartAsync(Options(folder, "primary"));
        await using var standby = await StartStandbyAsync(folder, primary);
        var both = $"Host=127.0.0.1:{primary.Port},127.0.0.1:{standby.Port};Username=postgres;Password=test;Database=postgres;Target Session Attributes=primary";
        await using var system = await DarkroomSystem.StartAsync(workers: 2, postgres: both);
        var run = await LargeRun.StartAsync(system);
        await run.ReachAsync(100);

        await primary.DisposeAsync();
        await using (var promoted = Npgsql.NpgsqlDataSource.Create(standby.ConnectionString))
        {
            await promoted.Sql("select pg_promote()").ExecuteNonQueryAsync();
            // Nobody answers this one's commits.
            await promoted.Sql("alter system reset synchronous_standby_names").ExecuteNonQueryAsync();
            await promoted.Sql("select pg_reload_conf()").ExecuteNonQueryAsync();
        }

        await run.CheckAsync(system);
        await new Oracle(system.Database.DataSource, system.S3.CreateStore()).CheckAsync(system.Webhooks.All, "Failed over to the standby");
    }

    private static IPEndPoint EndpointOf(TestRedis redis) => IPEndPoint.Parse(redis.ConnectionString.Split(',')[0]);

    private static PostgresClusterOptions Options(TemporaryFolder folder, string name) => new()
    {
        Folder = Path.Combine(folder.Path, name),
        Password = "test",
        Durable = false,
    };

    /// <summary>Copies the primary's data while it runs, and starts a standby on the copy that confirms every commit.</summary>
    private static async Task<PostgresServer> StartStandbyAsync(TemporaryFolder folder, PostgresServer primary)
    {
        var options = Options(folder, "standby");
        Directory.CreateDirectory(options.Folder);
        var copy = ServerFolder.CreateNew(options.Folder);
        await using var source = Npgsql.NpgsqlDataSource.Create(primary.ConnectionString + ";Pooling=false");
        await using (var backup = await source.OpenConnectionAsync())
        {
            await backup.Sql("select pg_backup_start('standby', true)").ExecuteNonQueryAsync();
            // Keeps owners and modes. WAL segments may vanish while they are copied, so its exit code means nothing.
            using (var cp = System.Diagnostics.Process.Start("cp", ["-a", Path.Combine(primary.Home, "data"), copy.Data]))
                await cp.WaitForExitAsync();
            var label = (string)(await backup.Sql("select labelfile from pg_backup_stop(false)").ExecuteScalarAsync())!;
            await WriteAsync(copy, "backup_label", label);
        }

        File.Delete(Path.Combine(copy.Data, "postmaster.pid"));
        await WriteAsync(copy, "standby.signal", "");
        await WriteAsync(copy, "postgresql.auto.conf", $"primary_conninfo = 'host=127.0.0.1 port={primary.Port} user=postgres password=test'\n");
        copy.Save(options.Folder);
        var standby = await PostgresServer.StartAsync(options);
        await source.Sql("alter role postgres set synchronous_commit = on").ExecuteNonQueryAsync();
        await source.Sql("alter system set synchronous_standby_names = '*'").ExecuteNonQueryAsync();
        await source.Sql("select pg_reload_conf()").ExecuteNonQueryAsync();
        await Eventually.TrueAsync(async () => await source.Sql("select sync_state = 'sync' from pg_stat_replication").ExecuteScalarAsync() is true);
        return standby;
    }

    /// <summary>Writes a file that the server's user can read.</summary>
    private static async Task WriteAsync(ServerFolder server, string name, string content)
    {
        var path = Path.Combine(server.Data, name);
        await File.WriteAllTextAsync(path, content);
        if (server.User is { } user && !OperatingSystem.IsWindows())
            Darkroom.AppHost.Processes.Unix.SetOwner(path, user);
    }
}
