using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Darkroom.Benchmarks.Fairness;

/// <summary>Image hosts on addresses of this machine that send 1,400 bytes a second: just enough not to be refused as too slow.</summary>
internal sealed class DripServer : IAsyncDisposable
{
    private const int BytesPerSecond = 1_400;

    private readonly CancellationTokenSource _stop = new();
    private readonly List<TcpListener> _hosts = [];

    /// <param name="hosts">How many hosts, at most 200: each has its own address (127.0.1.1 and so on), so this runs on Linux only.</param>
    public DripServer(int hosts)
    {
        for (var host = 1; host <= hosts; host++)
        {
            var listener = new TcpListener(new IPAddress([127, 0, 1, (byte)host]), 0);
            listener.Start();
            _hosts.Add(listener);
            _ = AcceptAsync(listener);
        }
    }

    /// <summary>URLs that take turns over the hosts.</summary>
    public IEnumerable<string> Urls(int count) =>
        Enumerable.Range(0, count).Select(i => $"http://{_hosts[i % _hosts.Count].LocalEndpoint}/{i}.jpg");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var host in _hosts)
            host.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
                _ = ServeAsync(await listener.AcceptTcpClientAsync(_stop.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The benchmark is over.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                var buffer = new byte[4_096];
                await stream.ReadAtLeastAsync(buffer, 1, cancellationToken: _stop.Token);
                await stream.WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\nConnection: close\r\n\r\n"), _stop.Token);
                while (true)
                {
                    await stream.WriteAsync(buffer.AsMemory(0, BytesPerSecond), _stop.Token);
                    await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, _stop.Token);
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                // The client gave up, or the benchmark is over.
            }
        }
    }
}
