using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using Darkroom.AppHost.Hosting;
using Darkroom.AppHost.Redis;
using StackExchange.Redis;
using Xunit.Sdk;

namespace Darkroom.Tests.Infrastructure;

/// <summary>Redis-compatible servers, which must all pass the same tests.</summary>
public enum RedisKind
{
    /// <summary>Microsoft Garnet, in this process.</summary>
    Garnet,

    /// <summary>An installed <c>redis-server</c>.</summary>
    RedisServer,
}

/// <summary>An empty in-memory server on loopback, stopped when disposed.</summary>
public sealed class TestRedis : IAsyncDisposable
{
    private readonly RedisKind _kind;
    private readonly int _port;
    private readonly List<IConnectionMultiplexer> _clients = [];
    private GarnetServer? _garnet;
    private Process? _process;
    private ChildWatchdog? _watchdog;
    private string? _folder;

    private readonly string? _log;

    private TestRedis(RedisKind kind, int port, string? log)
    {
        _kind = kind;
        _port = port;
        _log = log;
    }

    public int Port => _port;

    /// <summary>For the system under test: without admin rights, as in production.</summary>
    public string ConnectionString => $"127.0.0.1:{_port},abortConnect=false";

    /// <param name="kind">Which server.</param>
    /// <param name="log">Folder of the append-only file that a <c>redis-server</c> keeps. Null: it keeps none.</param>
    public static async Task<TestRedis> StartAsync(RedisKind kind = RedisKind.Garnet, string? log = null)
    {
        var redis = new TestRedis(kind, FreePort.Find(), log);
        await redis.StartAsync();
        return redis;
    }

    /// <summary>Opens a new client connection, which is closed together with the server.</summary>
    public async Task<IConnectionMultiplexer> ConnectAsync()
    {
        var client = await ConnectionMultiplexer.ConnectAsync(ConnectionString + ",allowAdmin=true");
        _clients.Add(client);
        return client;
    }

    /// <summary>Stops the server as a crash would: its data is lost, and its clients stay but cannot connect.</summary>
    public async Task StopAsync()
    {
        _garnet?.Dispose();
        _garnet = null;
        if (_process is null)
            return;
        _process.Kill();
        await _process.WaitForExitAsync();
        _watchdog?.Dispose();
        _process.Dispose();
        _process = null;
        if (_log is null)
            Directory.Delete(_folder!, recursive: true);
    }

    /// <summary>Starts the server on the same port, empty.</summary>
    public async Task StartAsync()
    {
        if (_kind == RedisKind.Garnet)
            _garnet = GarnetServer.Start(_port);
        else
            (_process, _watchdog) = await StartProcessAsync(_port, _folder = _log ?? ServerData.CreateFolder("darkroom-redis-"), _log is not null);
    }

    public async Task FlushAsync()
    {
        var client = await ConnectAsync();
        await client.GetDatabase().ExecuteAsync("FLUSHALL");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
            await client.DisposeAsync();
        await StopAsync();
    }

    private static async Task<(Process Process, ChildWatchdog Watchdog)> StartProcessAsync(int port, string folder, bool isLogged)
    {
        var start = new ProcessStartInfo(RedisServerExecutable.Path!)
        {
            RedirectStandardOutput = true,
            ArgumentList =
            {
                "--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", isLogged ? "yes" : "no",
                // A replica writes what it receives there, and a server loads on start what it finds.
                "--dir", folder,
            },
        };
        var process = Process.Start(start)!;
        var watchdog = ChildWatchdog.Start(process.Id, "KILL", isLogged ? [] : [folder]);
        while (await process.StandardOutput.ReadLineAsync() is { } line)
            if (line.Contains("Ready to accept connections", StringComparison.Ordinal))
                return (process, watchdog);
        throw new InvalidOperationException("redis-server exited before it was ready.");
    }
}

/// <summary>Runs a theory on Garnet, which is always available.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OnGarnetAttribute : DataAttribute
{
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [[RedisKind.Garnet]];
}

/// <summary>Runs a theory on an installed <c>redis-server</c>; skipped if there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OnRedisServerAttribute : DataAttribute
{
    public const string Missing = "No redis-server on the PATH (Debian: apt-get install redis-server).";

    public OnRedisServerAttribute()
    {
        if (RedisServerExecutable.Path is null)
            Skip = Missing;
    }

    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [[RedisKind.RedisServer]];
}

internal static class RedisServerExecutable
{
    /// <summary>The path of the installed server, or null.</summary>
    public static string? Path { get; } =
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(System.IO.Path.PathSeparator)
        .SelectMany(folder => new[] { "redis-server", "redis-server.exe", "valkey-server" }.Select(name => System.IO.Path.Combine(folder, name)))
        .FirstOrDefault(File.Exists);
}
