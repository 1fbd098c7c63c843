using System.Net;
using Darkroom.AppHost.Hosting;
using Darkroom.AppHost.Postgres;
using Darkroom.Data;
using Darkroom.Tests.EndToEnd;
using Darkroom.Tests.Infrastructure;
using Npgsql;
using StackExchange.Redis;
using Xunit.Abstractions;

namespace Darkroom.Tests.Faults;

/// <summary>F10: the disk of a store is full. Processes live, nothing is lost, and work goes on when there is room again.</summary>
public sealed class DiskFullTests(ITestOutputHelper output)
{
    private const int HeldBack = 4;

    [MountFact]
    public async Task Images_wait_for_room_in_S3()
    {
        await using var lab = await FaultLab.StartAsync(output);
        await using var disk = await SmallDisk.MountAsync(lab.System.S3.DataFolder, LongRun.Or(64, 512));
        await lab.System.S3.RestartAsync();
        var worker = lab.System.StartWorkerProcess();
        var requests = await BeginAsync(lab);

        disk.Fill();
        // Those that were held back, if the worker has stored all others in the meantime.
        lab.System.Images.OpenGate();
        await Eventually.GetAsync(
            () => lab.CountAsync("images where state = 'waiting' and not_before is not null"), waiting => waiting >= HeldBack, "Images wait for room");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await UploadAsync(lab, requests));
        disk.Free();

        await CheckAsync(lab, worker, requests, "No room in S3");
    }

    [MountFact(NeedsRedisServer = true)]
    public async Task Images_wait_for_room_for_the_log_of_Redis()
    {
        await using var lab = await FaultLab.StartAsync(output, redis: RedisKind.RedisServer);
        await using var disk = await SmallDisk.MountAsync(Directory.CreateTempSubdirectory("darkroom-aof-").FullName, 8);
        await using var logged = await TestRedis.StartAsync(RedisKind.RedisServer, disk.Folder);
        lab.Redis.MoveTo(IPEndPoint.Parse(logged.ConnectionString.Split(',')[0]));
        var worker = lab.System.StartWorkerProcess();
        var requests = await BeginAsync(lab);

        disk.Fill();
        var redis = (await logged.ConnectAsync()).GetDatabase();
        await Eventually.TrueAsync(async () => !await WritesAsync(redis));
        Assert.Equal(HttpStatusCode.Accepted, await UploadAsync(lab, requests));
        disk.Free();

        await CheckAsync(lab, worker, requests, "No room for the log of Redis");
    }

    /// <summary>First there is no room for data, then none for the log, which ends the server.</summary>
    [MountFact]
    public async Task Everything_waits_for_room_in_Postgres()
    {
        await using var disk = await SmallDisk.MountAsync(ServerData.CreateFolder("darkroom-small-"), LongRun.Or(256, 1_024));
        var (options, port) = (new PostgresClusterOptions { Folder = disk.Folder, Password = "test", Durable = false }, FreePort.Find());
        var server = await PostgresServer.StartAsync(options, port);
        try
        {
            await using var lab = await FaultLab.StartAsync(output, postgres: server.ConnectionString);
            var worker = lab.System.StartWorkerProcess();
            var requests = await BeginAsync(lab);

            disk.Fill();
            var full = await Assert.ThrowsAsync<PostgresException>(() => lab.System.Database.DataSource.Sql(
                "create table junk as select repeat('x', 1000) from generate_series(1, 10000)").ExecuteNonQueryAsync());
            Assert.Equal(PostgresErrorCodes.DiskFull, full.SqlState);
            Assert.Contains(await UploadAsync(lab, requests), (HttpStatusCode[])[HttpStatusCode.Accepted, HttpStatusCode.ServiceUnavailable]);
            await Eventually.TrueAsync(async () => !await SwitchesLogAsync(server.ConnectionString));
            disk.Free();
            await Eventually.TrueAsync(async () =>
            {
                if (server.HasExited)
                {
                    await server.DisposeAsync();
                    server = await PostgresServer.StartAsync(options, port);
                }

                return await SwitchesLogAsync(server.ConnectionString);
            });

            // The crash broke the test's own connections too.
            NpgsqlConnection.ClearPool(new NpgsqlConnection(server.ConnectionString));
            await CheckAsync(lab, worker, requests, "No room in Postgres");
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    private static async Task<List<SubmittedRequest>> BeginAsync(FaultLab lab)
    {
        var requests = await lab.UploadAsync(LongRun.Or(60, 300), HeldBack);
        await requests[0].ReachAsync(10);
        return [.. requests];
    }

    /// <summary>What the API answers to another upload, which is added if it is accepted.</summary>
    private static async Task<HttpStatusCode> UploadAsync(FaultLab lab, List<SubmittedRequest> requests)
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent(ProductCsv.Of([lab.System.Images.Good(1)])), "file", "products.csv" },
        };
        using var response = await lab.System.Client.Http.PostAsync("/v1/requests", form);
        if (response.StatusCode == HttpStatusCode.Accepted)
            requests.Add(await SubmittedRequest.FromAsync(lab.System.Client, response));
        return response.StatusCode;
    }

    private static async Task CheckAsync(FaultLab lab, ServiceProcess worker, List<SubmittedRequest> requests, string context)
    {
        lab.System.Images.OpenGate();
        await lab.CheckAsync(requests, context, TimeSpan.FromMinutes(3));
        Assert.False(worker.HasExited);
        Assert.Equal(0, await lab.CountAsync("images where state = 'failed' and error_code <> 'not_found'"));
    }

    private static async Task<bool> WritesAsync(IDatabase redis)
    {
        try
        {
            return await redis.StringSetAsync("written", "x");
        }
        catch (RedisServerException)
        {
            return false;
        }
    }

    /// <summary>Whether the server runs and can begin another file of its log.</summary>
    private static async Task<bool> SwitchesLogAsync(string connectionString)
    {
        try
        {
            await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false;Timeout=5;Command Timeout=5");
            await connection.OpenAsync();
            await connection.Sql("select pg_logical_emit_message(false, 'test', 'x'), pg_switch_wal()").ExecuteNonQueryAsync();
            return true;
        }
        catch (Exception e) when (DatabaseErrors.IsTransient(e))
        {
            return false;
        }
    }
}
