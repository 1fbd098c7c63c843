using System.Net;
using Darkroom.Access;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Darkroom.Tests.Access;

public sealed class BadKeyLimiterTests
{
    private static readonly IPAddress Source = IPAddress.Parse("192.0.2.7");

    private readonly FakeTimeProvider _time = new();
    private readonly BadKeyLimiter _limiter;

    public BadKeyLimiterTests() => _limiter = new BadKeyLimiter(_time, Options.Create(new AccessOptions()));

    [Fact]
    public void A_source_must_wait_after_twenty_bad_keys_until_the_minute_is_over()
    {
        for (var i = 0; i < 20; i++)
            Assert.Null(_limiter.Note(Source, prefix: $"p{i}"));

        Assert.Equal(TimeSpan.FromMinutes(1), _limiter.Note(Source, prefix: null));
        _time.Advance(TimeSpan.FromSeconds(50));
        Assert.Equal(TimeSpan.FromSeconds(10), _limiter.Note(Source, prefix: null));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Null(_limiter.Note(Source, prefix: null));
    }

    [Fact]
    public void One_prefix_tried_from_many_sources_must_wait_after_twenty_bad_keys()
    {
        for (var i = 0; i < 20; i++)
            Assert.Null(_limiter.Note(IPAddress.Parse($"192.0.2.{i}"), "theprefix"));

        Assert.NotNull(_limiter.Note(IPAddress.Parse("192.0.2.100"), "theprefix"));
        Assert.Null(_limiter.Note(IPAddress.Parse("192.0.2.101"), "another"));
    }

    [Fact]
    public void Sources_are_counted_separately_but_an_IPv6_network_counts_as_one()
    {
        for (var i = 1; i <= 20; i++)
            _limiter.Note(IPAddress.Parse($"2001:db8:1:2::{i:x}"), prefix: null);

        Assert.NotNull(_limiter.Note(IPAddress.Parse("2001:db8:1:2:ffff::1"), prefix: null));
        Assert.Null(_limiter.Note(IPAddress.Parse("2001:db8:1:3::1"), prefix: null));
        Assert.Null(_limiter.Note(Source, prefix: null));
    }

    [Fact]
    public void An_IPv4_address_is_the_same_source_in_its_IPv6_form()
    {
        for (var i = 0; i < 20; i++)
            _limiter.Note(Source, prefix: null);

        Assert.NotNull(_limiter.Note(Source.MapToIPv6(), prefix: null));
    }

    [Fact]
    public void A_flood_of_made_up_prefixes_does_not_exhaust_memory()
    {
        for (var i = 0; i < 100_000; i++)
            _limiter.Note(Source, $"p{i}");

        Assert.InRange(_limiter.Tracked, 1, 20_001);
        Assert.NotNull(_limiter.Note(Source, prefix: null));
    }
}
