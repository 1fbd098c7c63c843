using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Darkroom.Tests.Faults;

/// <summary>A relay that passes everything, and counts what each client sends.</summary>
internal sealed class PlainRelay(IPEndPoint target, IPAddress address, int port) : StoreRelay(target, address, port)
{
    private readonly ConcurrentDictionary<IPAddress, long> _bytes = new();

    /// <summary>How many bytes the client with this address has sent.</summary>
    public long ReceivedFrom(IPAddress client) => _bytes.GetValueOrDefault(client);

    protected override async Task RelayAsync(Socket client, Socket server)
    {
        var address = ((IPEndPoint)client.RemoteEndPoint!).Address;
        await await Task.WhenAny(
            PumpAsync(client, server, read => _bytes.AddOrUpdate(address, read, (_, bytes) => bytes + read)), PumpAsync(server, client, _ => { }));
    }

    private async Task PumpAsync(Socket from, Socket to, Action<int> received)
    {
        var buffer = new byte[64 * 1024];
        while (await from.ReceiveAsync(buffer, Stopping) is > 0 and var read)
        {
            received(read);
            await SendAsync(to, buffer.AsMemory(0, read), Stopping);
        }
    }
}
