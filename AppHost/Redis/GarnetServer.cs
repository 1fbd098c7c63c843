using System.Net;
using System.Net.Sockets;
using Darkroom.AppHost.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Darkroom.AppHost.Redis;

/// <summary>
/// A Redis-compatible server (Microsoft Garnet) inside this process, on loopback and in memory. It needs no persistence, because its
/// content is rebuilt from Postgres.
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

    /// <summary>Connection string for StackExchange.Redis. The password must not contain a comma.</summary>
    public string ConnectionString { get; }

    /// <summary>Starts a server.</summary>
    /// <param name="port">0 picks a free port.</param>
    /// <param name="password">Required from clients; null allows every client on this machine.</param>
    public static GarnetServer Start(int port = 0, string? password = null)
    {
        if (port != 0)
            return StartOn(port, password);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return StartOn(FreePort.Find(), password);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse && attempt < 5)
            {
                // Another process took the port between the check and the bind.
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
        // Scripts are atomic only as transactions; otherwise concurrent scripts interleave.
        "--lua",
        "--lua-transaction-mode",
        // The native device needs libaio, which not every Linux has.
        "--device-type", "RandomAccess",
        // The queue is limited to a few megabytes; Garnet's defaults are meant for dedicated servers.
        "--memory", "64m",
        "--page", "1m",
        "--index", "4m",
        "--disable-console-logger",
        "-q",
        .. password is null ? Array.Empty<string>() : ["--auth", "Password", "--password", password],
    ];
}
