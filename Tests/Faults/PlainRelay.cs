using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Darkroom.Tests.Faults;

/// <summary>A relay that knows no protocol. It counts what each client sends.</summary>
internal sealed class PlainRelay(IPEndPoint target, IPAddress address, int port) : StoreRelay(target, address, port)
{
    private readonly ConcurrentDictionary<IPAddress, long> _bytes = new();
    private int _generation;

    /// <summary>How many bytes the client with this address has sent.</summary>
    public long ReceivedFrom(IPAddress client) => _bytes.GetValueOrDefault(client);

    /// <summary>From now on, nothing passes over the connections that exist, and neither end is told: a firewall has forgotten them.</summary>
    public void Forget() => Interlocked.Increment(ref _generation);

    protected override async Task RelayAsync(Socket client, Socket server)
    {
        var address = ((IPEndPoint)client.RemoteEndPoint!).Address;
        await await Task.WhenAny(
            PumpAsync(client, server, read => _bytes.AddOrUpdate(address, read, (_, bytes) => bytes + read)), PumpAsync(server, client, _ => { }));
    }

    private async Task PumpAsync(Socket from, Socket to, Action<int> received)
    {
        var (buffer, generation) = (new byte[64 * 1024], Volatile.Read(ref _generation));
        while (await from.ReceiveAsync(buffer, Stopping) is > 0 and var read)
        {
            received(read);
            if (generation == Volatile.Read(ref _generation))
                await SendAsync(to, buffer.AsMemory(0, read), Stopping);
        }
    }
}
