using System.Net;
using Darkroom.Egress;

namespace Darkroom.Tests.Egress;

public sealed class AddressRulesTests
{
    private static readonly string[] PrivateV4 =
    [
        "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1", "127.255.255.255",
        "169.254.169.254", "169.254.170.2", "172.16.0.0", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.0",
        "192.168.255.255", "198.18.0.0", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1",
        "255.255.255.255",
    ];

    private static readonly string[] PublicV4 =
    [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
        "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0",
        "198.17.255.255", "198.20.0.0", "223.255.255.255",
    ];

    /// <summary>Every form of IPv6 address that a translator or tunnel would deliver to an embedded IPv4 address.</summary>
    private static readonly (string Name, Func<byte[], IPAddress> Wrap)[] Wrappings =
    [
        ("mapped", v4 => Join("::ffff:0:0", 12, v4)),
        ("NAT64", v4 => Join("64:ff9b::", 12, v4)),
        ("6to4", v4 => Join("2002::1", 2, v4)),
        ("ISATAP", v4 => Join("2a00:1450::5efe:0:0", 12, v4)),
        ("ISATAP of a public address", v4 => Join("2a00:1450::200:5efe:0:0", 12, v4)),
    ];

    public static TheoryData<string> Private => [.. PrivateV4];

    public static TheoryData<string> Public => [.. PublicV4];

    [Theory]
    [MemberData(nameof(Private))]
    public void Private_address_is_not_public_however_it_is_embedded(string text)
    {
        var address = IPAddress.Parse(text);
        Assert.False(AddressRules.IsPublic(address));
        foreach (var (name, wrap) in Wrappings)
            Assert.False(AddressRules.IsPublic(wrap(address.GetAddressBytes())), $"{text} as {name}");
    }

    [Theory]
    [MemberData(nameof(Public))]
    public void Neighbour_of_a_private_range_stays_public_however_it_is_embedded(string text)
    {
        var address = IPAddress.Parse(text);
        Assert.True(AddressRules.IsPublic(address));
        foreach (var (name, wrap) in Wrappings)
            Assert.True(AddressRules.IsPublic(wrap(address.GetAddressBytes())), $"{text} as {name}");
    }

    [Theory]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::127.0.0.1")]
    [InlineData("::8.8.8.8")]
    [InlineData("::ffff:0:8.8.8.8")]
    [InlineData("64:ff9b:1::808:808")]
    [InlineData("100::1")]
    [InlineData("2001::80ff:fffe")]
    [InlineData("2001:2::1")]
    [InlineData("2001:db8::1")]
    [InlineData("3fff::1")]
    [InlineData("4000::1")]
    [InlineData("fc00::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("fe80::1")]
    [InlineData("fec0::1")]
    [InlineData("ff02::1")]
    public void Special_purpose_ipv6_address_is_not_public(string text) => Assert.False(AddressRules.IsPublic(IPAddress.Parse(text)));

    [Theory]
    [InlineData("2001:4860:4860::8888")]
    [InlineData("2606:4700::1111")]
    [InlineData("2a00:1450:4001:80b::200e")]
    [InlineData("2001:200::1")]
    [InlineData("3ffe::1")]
    public void Global_unicast_ipv6_address_is_public(string text) => Assert.True(AddressRules.IsPublic(IPAddress.Parse(text)));

    private static IPAddress Join(string prefix, int offset, byte[] v4)
    {
        var bytes = IPAddress.Parse(prefix).GetAddressBytes();
        v4.CopyTo(bytes, offset);
        return new IPAddress(bytes);
    }
}
