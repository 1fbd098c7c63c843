using System.Net;
using System.Net.Sockets;

namespace Darkroom.Tests.Faults;

public sealed class HostNetworkTests
{
    private const int Port = 4000;

    /// <summary>Datagrams keep their order here, so one that was lost is one that another overtook.</summary>
    [HostNetworkFact]
    public async Task A_cut_loses_what_is_sent_in_its_direction_only_and_ends_when_healed()
    {
        using var network = HostNetwork.Create("a", "b");
        using var a = network.On("a", () => new UdpClient(new IPEndPoint(network.AddressOf("a"), Port)));
        using var b = network.On("b", () => new UdpClient(new IPEndPoint(network.AddressOf("b"), Port)));
        var (toA, toB) = (new IPEndPoint(network.AddressOf("a"), Port), new IPEndPoint(network.AddressOf("b"), Port));
        await a.SendAsync(new byte[] { 1 }, toB);
        Assert.Equal(1, await ReceiveAsync(b));

        network.Cut("a", "b");
        await a.SendAsync(new byte[] { 2 }, toB);
        await b.SendAsync(new byte[] { 3 }, toA);
        Assert.Equal(3, await ReceiveAsync(a));
        network.Heal("a", "b");
        await a.SendAsync(new byte[] { 4 }, toB);

        Assert.Equal(4, await ReceiveAsync(b));
    }

    private static async Task<byte> ReceiveAsync(UdpClient client)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60), TimeProvider.System);
        return (await client.ReceiveAsync(limit.Token)).Buffer[0];
    }
}
