using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Darkroom.Egress;

/// <summary>Decides which addresses belong to the public internet. Pure, and the only place that knows the ranges.</summary>
/// <remarks>
/// Based on IANA's special-purpose registries. IPv6 is an allow list (only 2000::/3 is global unicast). An address that embeds an
/// IPv4 address is checked by that one, because a translator or tunnel would deliver there.
/// </remarks>
public static class AddressRules
{
    private static readonly (IPNetwork Network, string Why)[] DeniedV4 =
    [
        (IPNetwork.Parse("0.0.0.0/8"), "this network"),
        (IPNetwork.Parse("10.0.0.0/8"), "private"),
        (IPNetwork.Parse("100.64.0.0/10"), "shared by carriers"),
        (IPNetwork.Parse("127.0.0.0/8"), "loopback"),
        (IPNetwork.Parse("169.254.0.0/16"), "link-local, cloud metadata"),
        (IPNetwork.Parse("172.16.0.0/12"), "private"),
        (IPNetwork.Parse("192.0.0.0/24"), "protocol assignments"),
        (IPNetwork.Parse("192.0.2.0/24"), "documentation"),
        (IPNetwork.Parse("192.88.99.0/24"), "6to4 relays"),
        (IPNetwork.Parse("192.168.0.0/16"), "private"),
        (IPNetwork.Parse("198.18.0.0/15"), "benchmarks"),
        (IPNetwork.Parse("198.51.100.0/24"), "documentation"),
        (IPNetwork.Parse("203.0.113.0/24"), "documentation"),
        (IPNetwork.Parse("224.0.0.0/4"), "multicast"),
        (IPNetwork.Parse("240.0.0.0/4"), "reserved, broadcast"),
    ];

    private static readonly IPNetwork PublicV6 = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");

    private static readonly (IPNetwork Network, string Why)[] DeniedV6 =
    [
        (IPNetwork.Parse("2001::/23"), "protocol assignments, Teredo"),
        (IPNetwork.Parse("2001:db8::/32"), "documentation"),
        (IPNetwork.Parse("3fff::/20"), "documentation"),
    ];

    public static bool IsPublic(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        if (address.AddressFamily == AddressFamily.InterNetwork)
            return !DeniedV4.Any(denied => denied.Network.Contains(address));
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return false;

        if (Nat64.Contains(address))
            return IsPublic(Embedded(address, 12));
        if (!PublicV6.Contains(address) || DeniedV6.Any(denied => denied.Network.Contains(address)))
            return false;
        if (SixToFour.Contains(address))
            return IsPublic(Embedded(address, 2));
        return !IsIsatap(address) || IsPublic(Embedded(address, 12));
    }

    /// <summary>Only true loopback addresses; 0.0.0.0 and tunnels to 127.0.0.1 do not count.</summary>
    public static bool IsLoopback(IPAddress address) => IPAddress.IsLoopback(address);

    private static IPAddress Embedded(IPAddress address, int offset)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        return new IPAddress(bytes.Slice(offset, 4));
    }

    /// <summary>An interface identifier of ISATAP (RFC 5214) ends in 5efe and the IPv4 address, under any prefix.</summary>
    private static bool IsIsatap(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        return (BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]) & 0xFCFF_FFFF) == 0x0000_5EFE;
    }
}
