using System.Net;
using System.Net.Sockets;
using Darkroom.AppHost.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Darkroom.AppHost.Redis;

/// <summary>
/// A Redis server inside this process (Microsoft Garnet), on loopback and in memory: what it holds is rebuilt from Postgres, so
/// nothing needs to outlive it.
/// </summary>
public sealed class GarnetServer : IDisposable
{
    private readonly Garnet.GarnetServer _server;

    private GarnetServer(Garnet.GarnetServer server, int port, string? password)
    {
        _server = server;
        Port = port;
        ConnectionString = password is null ? $"127.0.0.1:{port}" : $"127.0.0.1:{port},password={password}";
    }

    public int Port { get; }

    /// <summary>For StackExchange.Redis. A password must not contain a comma.</summary>
    public string ConnectionString { get; }

    /// <summary>Starts a server.</summary>
    /// <param name="port">0 picks a free one.</param>
    /// <param name="password">Clients must give it; null lets everyone on this machine in.</param>
    public static GarnetServer Start(int port = 0, string? password = null)
    {
        if (port != 0) return StartOn(port, password);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return StartOn(FreePort.Find(), password);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse && attempt < 5)
            {
                // Somebody took the port between looking and binding.
            }
        }
    }

    public void Dispose() => _server.Dispose();

    private static GarnetServer StartOn(int port, string? password)
    {
        var server = new Garnet.GarnetServer(Arguments(port, password), NullLoggerFactory.Instance);
        try
        {
            server.Start();
            return new GarnetServer(server, port, password);
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    private static string[] Arguments(int port, string? password) =>
    [
        "--bind", "127.0.0.1",
        "--port", $"{port}",
        // Scripts are atomic only as transactions; without this, concurrent ones interleave.
        "--lua",
        "--lua-transaction-mode",
        // Its native devices need a libaio that not every Linux has.
        "--device-type", "RandomAccess",
        // The queue is bounded to a few megabytes; the defaults are made for servers of their own.
        "--memory", "64m",
        "--page", "1m",
        "--index", "4m",
        "--disable-console-logger",
        "-q",
        .. password is null ? Array.Empty<string>() : ["--auth", "Password", "--password", password],
    ];
}
