using System.Net;
using System.Net.Sockets;

namespace Darkroom.Tests.Api;

/// <summary>A TCP relay between the API and its database that a test can cut, stall, or cut when a certain text passes.</summary>
internal sealed class TcpRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Socket> _open = [];
    private readonly IPEndPoint _target;
    private readonly Task _accepting;
    private TaskCompletionSource? _hang;
    private byte[]? _trigger;
    private bool _deliverTrigger;
    private bool _refuse;

    public TcpRelay(string host, int port)
    {
        _target = new IPEndPoint(IPAddress.Parse(host), port);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Closes all connections and refuses new ones.</summary>
    public void Down()
    {
        _refuse = true;
        CutAll();
    }

    public void Up() => _refuse = false;

    /// <summary>Keeps connections open but forwards nothing.</summary>
    public void Hang() => Volatile.Write(ref _hang, new TaskCompletionSource());

    public void Unhang() => Interlocked.Exchange(ref _hang, null)?.TrySetResult();

    /// <summary>Closes the connection, once, when the client sends this text.</summary>
    /// <param name="text">ASCII text to look for.</param>
    /// <param name="delivered">Whether the server still receives the text.</param>
    public void CutAt(string text, bool delivered)
    {
        _deliverTrigger = delivered;
        Volatile.Write(ref _trigger, System.Text.Encoding.ASCII.GetBytes(text));
    }

    /// <summary>Whether the client has not sent that text yet.</summary>
    public bool IsCutDue => Volatile.Read(ref _trigger) is not null;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Stop();
        Unhang();
        CutAll();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                if (_refuse)
                {
                    client.Close(0);
                    continue;
                }

                _ = RelayAsync(client);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The test is over.
        }
    }

    private async Task RelayAsync(Socket client)
    {
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await server.ConnectAsync(_target, _stop.Token);
            lock (_open)
                _open.AddRange([client, server]);
            await Task.WhenAny(PumpAsync(client, server, fromClient: true), PumpAsync(server, client, fromClient: false));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The connection was cut.
        }
        finally
        {
            client.Close(0);
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool fromClient)
    {
        var buffer = new byte[64 * 1024];
        while (await from.ReceiveAsync(buffer, _stop.Token) is > 0 and var read)
        {
            if (Volatile.Read(ref _hang) is { } hang)
                await hang.Task;
            if (fromClient && Volatile.Read(ref _trigger) is { } trigger && buffer.AsSpan(0, read).IndexOf(trigger) >= 0)
            {
                Volatile.Write(ref _trigger, null);
                // Closed before forwarding, so that the server's response can never reach the client.
                from.Close(0);
                if (_deliverTrigger)
                    await to.SendAsync(buffer.AsMemory(0, read), _stop.Token);
                return;
            }

            await to.SendAsync(buffer.AsMemory(0, read), _stop.Token);
        }
    }

    private void CutAll()
    {
        lock (_open)
        {
            foreach (var socket in _open)
                socket.Close(0);
            _open.Clear();
        }
    }
}
