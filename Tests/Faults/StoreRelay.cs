using System.Net;
using System.Net.Sockets;

namespace Darkroom.Tests.Faults;

/// <summary>
/// A TCP relay in front of a store that understands enough of its protocol to tell requests and answers apart, so that a fault can hit
/// exactly before or after the effect of a request. The product needs no hooks for it.
/// </summary>
internal abstract class StoreRelay : IAsyncDisposable
{
    /// <summary>How long <see cref="FaultKind.Slow"/> holds a request back.</summary>
    public static readonly TimeSpan SlowDelay = TimeSpan.FromMilliseconds(300);

    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly HashSet<Socket> _open = [];
    private readonly Lock _gate = new();
    private volatile IPEndPoint _target;
    private readonly Task _accepting;
    private volatile bool _refuse;

    /// <param name="target">The store.</param>
    /// <param name="address">Where to listen; loopback by default.</param>
    /// <param name="port">0 picks a free port.</param>
    protected StoreRelay(IPEndPoint target, IPAddress? address = null, int port = 0)
    {
        _target = target;
        _listener = new TcpListener(address ?? IPAddress.Loopback, port);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public IPAddress Address => ((IPEndPoint)_listener.LocalEndpoint).Address;

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    protected CancellationToken Stopping => _stop.Token;

    /// <summary>Closes all connections and refuses new ones until <see cref="Up"/>.</summary>
    public void Down()
    {
        _refuse = true;
        CutAll();
    }

    public void Up() => _refuse = false;

    /// <summary>Leads to another server from now on, as the address of a managed service does after a failover.</summary>
    public void MoveTo(IPEndPoint target)
    {
        _target = target;
        CutAll();
    }

    /// <summary>Closes all connections.</summary>
    public void CutAll()
    {
        lock (_gate)
        {
            foreach (var socket in _open)
                socket.Close(0);
            _open.Clear();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Stop();
        CutAll();
        _stop.Dispose();
    }

    /// <summary>Relays one connection until it ends.</summary>
    protected abstract Task RelayAsync(Socket client, Socket server);

    protected static async Task<bool> TryReadAsync(Socket socket, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (buffer.Length > 0)
        {
            var read = await socket.ReceiveAsync(buffer, cancellationToken);
            if (read == 0)
                return false;
            buffer = buffer[read..];
        }

        return true;
    }

    protected static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (bytes.Length > 0)
            bytes = bytes[await socket.SendAsync(bytes, cancellationToken)..];
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                if (_refuse)
                    client.Close(0);
                else
                    _ = ServeAsync(client);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.NoDelay = true;
        lock (_gate)
        {
            _open.Add(client);
            _open.Add(server);
        }

        try
        {
            await server.ConnectAsync(_target, _stop.Token);
            await RelayAsync(client, server);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The connection was cut.
        }
        finally
        {
            lock (_gate)
            {
                _open.Remove(client);
                _open.Remove(server);
            }

            client.Close(0);
            server.Close(0);
        }
    }
}
