using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Darkroom.AppHost.Hosting;
using Darkroom.AppHost.Redis;
using StackExchange.Redis;

namespace Darkroom.Tests.Infrastructure;

/// <summary>Servers that speak the Redis protocol and must all behave alike.</summary>
public enum RedisKind
{
    /// <summary>Microsoft Garnet, in this process.</summary>
    Garnet,

    /// <summary>An installed <c>redis-server</c>.</summary>
    RedisServer,
}

/// <summary>An empty server of its own, in memory, on loopback. Ended with the test.</summary>
public sealed class TestRedis : IAsyncDisposable
{
    private readonly RedisKind _kind;
    private readonly int _port;
    private readonly List<IConnectionMultiplexer> _clients = [];
    private GarnetServer? _garnet;
    private Process? _process;
    private LastWill? _will;

    private TestRedis(RedisKind kind, int port)
    {
        _kind = kind;
        _port = port;
    }

    /// <summary>For the product: with no rights that a person's string would not give.</summary>
    public string ConnectionString => $"127.0.0.1:{_port},abortConnect=false";

    public static async Task<TestRedis> StartAsync(RedisKind kind = RedisKind.Garnet)
    {
        var redis = new TestRedis(kind, FreePort.Find());
        await redis.StartAsync();
        return redis;
    }

    /// <summary>A client connection of its own, closed with the server.</summary>
    public async Task<IConnectionMultiplexer> ConnectAsync()
    {
        var client = await ConnectionMultiplexer.ConnectAsync(ConnectionString + ",allowAdmin=true");
        _clients.Add(client);
        return client;
    }

    /// <summary>Ends the server as a crash does: what it held is gone. Its clients stay, and find nobody.</summary>
    public async Task StopAsync()
    {
        _garnet?.Dispose();
        _garnet = null;
        if (_process is null) return;
        _process.Kill();
        await _process.WaitForExitAsync();
        _will?.Dispose();
        _process.Dispose();
        _process = null;
    }

    /// <summary>Starts it on the port that it had, empty.</summary>
    public async Task StartAsync()
    {
        if (_kind == RedisKind.Garnet) _garnet = GarnetServer.Start(_port);
        else (_process, _will) = await StartProcessAsync(_port);
    }

    public async Task FlushAsync()
    {
        var client = await ConnectAsync();
        await client.GetDatabase().ExecuteAsync("FLUSHALL");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients) await client.DisposeAsync();
        await StopAsync();
    }

    private static async Task<(Process Process, LastWill Will)> StartProcessAsync(int port)
    {
        var start = new ProcessStartInfo(RedisServerExecutable.Path!)
        {
            RedirectStandardOutput = true,
            ArgumentList = { "--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no" },
        };
        var process = Process.Start(start)!;
        var will = LastWill.Kill(process.Id);
        while (await process.StandardOutput.ReadLineAsync() is { } line)
            if (line.Contains("Ready to accept connections", StringComparison.Ordinal)) return (process, will);
        throw new InvalidOperationException("redis-server ended before it was ready.");
    }
}
