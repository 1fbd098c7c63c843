using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Darkroom.AppHost.Hosting;
using Darkroom.AppHost.Processes;
using Darkroom.Tests.Infrastructure;
using Npgsql;

namespace Darkroom.Tests.AppHost;

public sealed class LocalHostTests
{
    [Fact]
    public async Task Host_runs_everything_rejects_a_second_host_stops_in_order_and_keeps_its_data()
    {
        using var folder = new TemporaryFolder();
        string? key;
        int[] children;
        await using (var host = AppHostProcess.Start(folder.Path))
        {
            var run = await host.HealthyAsync();
            key = run.Key;
            children = [.. run.Children];
            Assert.Equal(["api", "apphost", "postgres", "worker-1", "worker-2"], run.Processes.Select(p => p.Name).Order());
            // Where the scheduler shares the cores between sessions, each service has a share of its own.
            if (OperatingSystem.IsLinux())
                foreach (var service in run.Processes.Where(process => process.Name is "api" or "worker-1" or "worker-2"))
                    await Eventually.GetAsync(
                        () => Task.FromResult(SessionOf(service.Pid)), session => session == service.Pid, $"{service.Name} leads a session");
            Assert.Matches("^dk_[0-9a-f]{8}_[A-Za-z0-9_-]{43}$", key);
            await host.OutputContainsAsync($"Authorization: Bearer {key}");
            using var http = new HttpClient();
            Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri(run.Api, "/health"))).StatusCode);
            Assert.Contains(
                $"{run.Samples.GetLeftPart(UriPartial.Authority)}/",
                await http.GetStringAsync(new Uri(run.Samples, "/products.csv")),
                StringComparison.Ordinal);
            if (!OperatingSystem.IsWindows())
                Assert.Equal(
                    UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder.Path));
            await using (var second = AppHostProcess.Start(folder.Path))
            {
                Assert.Equal(1, await second.ExitCodeAsync());
                Assert.Contains($"process {host.Id}", second.Output, StringComparison.Ordinal);
            }

            await ExecuteAsync(run, "create table kept (word text); insert into kept values ('here')");

            host.Terminate();
            Assert.Equal(0, await host.ExitCodeAsync());
            Assert.False(File.Exists(host.RunFile));
            Assert.All(children, AssertExited);
            Assert.DoesNotContain("was ended", host.Output, StringComparison.Ordinal);
        }

        await using (var host = AppHostProcess.Start(folder.Path, null, "--Dashboard=false"))
        {
            var run = await host.HealthyAsync();
            Assert.Equal(key, run.Key);
            Assert.Equal("here", await ExecuteAsync(run, "select word from kept"));
        }
    }

    [Fact]
    public async Task Host_stopped_during_startup_leaves_no_process()
    {
        using var folder = new TemporaryFolder();
        await using var host = AppHostProcess.Start(folder.Path, null, "--Dashboard=false");
        await host.OutputContainsAsync("postgres");
        var started = await Eventually.GetAsync(
            () => Task.FromResult(PreviousRun.Read(folder.Path)), processes => processes.Count > 0, "A process has started");

        host.Terminate();

        Assert.Equal(0, await host.ExitCodeAsync());
        await Eventually.GetAsync(
            () => Task.FromResult(started.Count(process => ProcessTable.IsRunning(process.Pid))), alive => alive == 0, "No orphaned process is left");
    }

    [Fact]
    public async Task Connection_strings_replace_the_embedded_servers_and_a_collector_the_dashboard()
    {
        using var folder = new TemporaryFolder();
        using var collector = new TcpListener(IPAddress.Loopback, 0);
        collector.Start();
        var export = FirstLineAsync(collector);
        await using var database = await TestDatabase.CreateAsync();
        await using var redis = await TestRedis.StartAsync();
        var environment = new Dictionary<string, string>
        {
            ["ConnectionStrings__darkroom"] = database.ConnectionString,
            ["ConnectionStrings__redis"] = redis.ConnectionString,
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = $"http://{collector.LocalEndpoint}",
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        };
        await using var host = AppHostProcess.Start(folder.Path, environment, "--Dashboard=false");
        var run = await host.HealthyAsync();

        Assert.DoesNotContain(run.Processes, process => process.Name == "postgres");
        Assert.Equal(database.ConnectionString, run.ConnectionStrings["darkroom"]);
        Assert.Equal(redis.ConnectionString, run.ConnectionStrings["redis"]);
        Assert.False(Directory.Exists(Path.Combine(folder.Path, "postgres")));
        Assert.StartsWith("POST /v1/", await export.WaitAsync(Eventually.Patience), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Outside_development_the_host_offers_no_key_and_says_how_to_create_one()
    {
        using var folder = new TemporaryFolder();
        await using var database = await TestDatabase.CreateAsync();
        await using var redis = await TestRedis.StartAsync();
        var connectionStrings = new Dictionary<string, string>
        {
            ["ConnectionStrings__darkroom"] = database.ConnectionString,
            ["ConnectionStrings__redis"] = redis.ConnectionString,
        };

        await using var host = AppHostProcess.Start(folder.Path, connectionStrings, "--environment", "Production", "--Dashboard=false");

        Assert.Null((await host.HealthyAsync()).Key);
        await host.OutputContainsAsync("keys create --owner NAME");
        Assert.DoesNotContain("dk_", host.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Authorization", host.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Proxy_in_the_environment_is_not_used_on_this_machine()
    {
        using var folder = new TemporaryFolder();
        using var proxy = new TcpListener(IPAddress.Loopback, 0);
        proxy.Start();
        await using var database = await TestDatabase.CreateAsync();
        await using var redis = await TestRedis.StartAsync();
        var environment = new Dictionary<string, string>
        {
            ["ConnectionStrings__darkroom"] = database.ConnectionString,
            ["ConnectionStrings__redis"] = redis.ConnectionString,
            ["HTTP_PROXY"] = $"http://{proxy.LocalEndpoint}",
            ["HTTPS_PROXY"] = $"http://{proxy.LocalEndpoint}",
            ["NO_PROXY"] = "",
        };

        await using var host = AppHostProcess.Start(folder.Path, environment);
        var run = await host.HealthyAsync();
        using var http = new HttpClient();
        using var sample = await http.GetAsync(new Uri(run.Api, "/pages/sample.csv"));

        Assert.Equal(HttpStatusCode.OK, sample.StatusCode);
        Assert.False(proxy.Pending(), "Something connected to the proxy.");
    }

    [Fact]
    public async Task Port_in_use_is_rejected_with_its_number_and_setting()
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

    [Fact]
    public async Task Containers_without_an_engine_are_rejected_at_once()
    {
        using var folder = new TemporaryFolder();
        // An empty PATH, so that no engine is found, whatever is installed here.
        var emptyPath = new Dictionary<string, string> { ["PATH"] = folder.Path };

        await using var host = AppHostProcess.Start(folder.Path, emptyPath, "--Containers=true");

        Assert.Equal(1, await host.ExitCodeAsync());
        Assert.Contains("Containers=true needs a running container engine", host.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", host.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--Workers=none", "Workers is 'none'")]
    [InlineData("--Ports:Api=-1", "Ports:Api is '-1'")]
    [InlineData("--Ports:Apis=6080", "no setting Ports:Apis")]
    [InlineData("--Dashboard=perhaps", "Dashboard is 'perhaps'")]
    [InlineData("--Postgres:Source=Elsewhere", "Postgres:Source is 'Elsewhere'")]
    public async Task Invalid_setting_is_named(string argument, string message)
    {
        using var folder = new TemporaryFolder();

        await using var host = AppHostProcess.Start(folder.Path, null, argument);

        Assert.Equal(1, await host.ExitCodeAsync());
        Assert.Contains(message, host.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", host.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("file", "is a file")]
    [InlineData("file/folder", "cannot be created")]
    public async Task Data_folder_that_is_no_folder_is_rejected(string name, string message)
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "file"), "kept");

        await using var host = AppHostProcess.Start(Path.Combine(folder.Path, name));

        Assert.Equal(1, await host.ExitCodeAsync());
        Assert.Contains(message, Assert.Single(host.Output.TrimEnd().Split('\n')), StringComparison.Ordinal);
        Assert.Equal("kept", await File.ReadAllTextAsync(Path.Combine(folder.Path, "file")));
    }

    [Fact]
    public async Task Help_lists_every_setting_and_starts_nothing()
    {
        using var folder = new TemporaryFolder();

        await using var host = AppHostProcess.Start(folder.Path, null, "--help");

        Assert.Equal(0, await host.ExitCodeAsync());
        Assert.All(HostSettings.All, setting => Assert.Contains($"--{setting.Name} ", host.Output, StringComparison.Ordinal));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    private static async Task<string?> FirstLineAsync(TcpListener listener)
    {
        using var client = await listener.AcceptTcpClientAsync();
        using var reader = new StreamReader(client.GetStream());
        return await reader.ReadLineAsync();
    }

    private static async Task<object?> ExecuteAsync(RunFile run, string sql)
    {
        await using var source = NpgsqlDataSource.Create(run.ConnectionStrings["darkroom"]);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    /// <summary>The session of a process, from proc_pid_stat(5).</summary>
    private static int SessionOf(int process) =>
        int.Parse(File.ReadAllText($"/proc/{process}/stat").Split(')')[^1].Split(' ')[4], CultureInfo.InvariantCulture);

    private static void AssertExited(int pid) => Assert.False(ProcessTable.IsRunning(pid), $"Process {pid} is still running.");
}
