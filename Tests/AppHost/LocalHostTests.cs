using System.Net;
using System.Net.Sockets;
using Darkroom.Tests.Infrastructure;
using Npgsql;

namespace Darkroom.Tests.AppHost;

public sealed class LocalHostTests
{
    [Fact]
    public async Task Host_runs_everything_stops_it_in_order_and_finds_its_data_again()
    {
        using var folder = new TemporaryFolder();
        string key;
        int[] children;
        await using (var host = AppHostProcess.Start(folder.Path))
        {
            var run = await host.HealthyAsync();
            key = run.Key;
            children = [.. run.Children];
            Assert.Equal(["api", "apphost", "postgres", "worker-1", "worker-2"], run.Processes.Select(p => p.Name).Order());
            Assert.Matches("^dk_[0-9a-f]{8}_[A-Za-z0-9_-]{43}$", key);
            Assert.Contains(key, host.Output, StringComparison.Ordinal);
            using var http = new HttpClient();
            Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri(run.Api, "/health"))).StatusCode);
            Assert.Contains(
                $"{run.Samples.GetLeftPart(UriPartial.Authority)}/",
                await http.GetStringAsync(new Uri(run.Samples, "/products.csv")),
                StringComparison.Ordinal);
            if (!OperatingSystem.IsWindows())
                Assert.Equal(
                    UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder.Path));
            await ExecuteAsync(run, "create table kept (word text); insert into kept values ('here')");

            host.Terminate();
            Assert.Equal(0, await host.ExitCodeAsync());
            Assert.False(File.Exists(host.RunFile));
            Assert.All(children, AssertGone);
            Assert.DoesNotContain("was ended", host.Output, StringComparison.Ordinal);
        }

        await using (var host = AppHostProcess.Start(folder.Path))
        {
            var run = await host.HealthyAsync();
            Assert.Equal(key, run.Key);
            Assert.Equal("here", await ExecuteAsync(run, "select word from kept"));
        }
    }

    [Fact]
    public async Task Second_host_is_refused_and_no_process_outlives_a_killed_one()
    {
        using var folder = new TemporaryFolder();
        await using var host = AppHostProcess.Start(folder.Path);
        var run = await host.HealthyAsync();

        await using (var second = AppHostProcess.Start(folder.Path))
        {
            Assert.Equal(1, await second.ExitCodeAsync());
            Assert.Contains($"process {host.Id}", second.Output, StringComparison.Ordinal);
        }

        host.Kill();
        await Eventually.GetAsync(
            () => Task.FromResult(run.Children.Count(ProcessLife.IsRunning)), alive => alive == 0, TimeSpan.FromSeconds(15), "No orphan is left");
    }

    [Fact]
    public async Task Given_connection_strings_replace_the_embedded_parts()
    {
        using var folder = new TemporaryFolder();
        await using var database = await TestDatabase.CreateAsync();
        await using var redis = await TestRedis.StartAsync();
        var given = new Dictionary<string, string>
        {
            ["ConnectionStrings__darkroom"] = database.ConnectionString,
            ["ConnectionStrings__redis"] = redis.ConnectionString,
        };
        await using var host = AppHostProcess.Start(folder.Path, given);
        var run = await host.HealthyAsync();

        Assert.DoesNotContain(run.Processes, process => process.Name == "postgres");
        Assert.Equal(database.ConnectionString, run.ConnectionStrings["darkroom"]);
        Assert.Equal(redis.ConnectionString, run.ConnectionStrings["redis"]);
        Assert.False(Directory.Exists(Path.Combine(folder.Path, "postgres")));
    }

    [Fact]
    public async Task Port_in_use_is_refused_by_port_and_setting()
    {
        using var folder = new TemporaryFolder();
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;

        await using var host = AppHostProcess.Start(folder.Path, null, $"--Ports:S3={port}");

        Assert.Equal(1, await host.ExitCodeAsync());
        Assert.Contains($"Port {port} is in use", host.Output, StringComparison.Ordinal);
        Assert.Contains("--Ports:S3=", host.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", host.Output, StringComparison.Ordinal);
    }

    private static async Task<object?> ExecuteAsync(RunFile run, string sql)
    {
        await using var source = NpgsqlDataSource.Create(run.ConnectionStrings["darkroom"]);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    private static void AssertGone(int pid) => Assert.False(ProcessLife.IsRunning(pid), $"Process {pid} still runs.");
}
