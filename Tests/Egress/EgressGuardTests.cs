using System.Net;
using Darkroom.AppHost.Hosting;
using Darkroom.Egress;
using Darkroom.Images;
using Darkroom.Tests.Images;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.Egress;

public sealed class EgressGuardTests
{
    private static readonly EgressGuard Production = TestEgress.Guard(new EgressOptions());

    [Theory]
    [InlineData("http://127.0.0.1/")]
    [InlineData("http://127.0.0.1./")]
    [InlineData("http://127.1/")]
    [InlineData("http://2130706433/")]
    [InlineData("http://0x7f000001/")]
    [InlineData("http://0177.0.0.1/")]
    [InlineData("http://0/")]
    [InlineData("http://[::1]/")]
    [InlineData("http://[::ffff:10.0.0.1]/")]
    [InlineData("http://[64:ff9b::a9fe:a9fe]/")]
    [InlineData("http://169.254.169.254/latest/meta-data/")]
    [InlineData("http://localhost/")]
    [InlineData("http://LOCALHOST./")]
    [InlineData("http://a.localhost/")]
    [InlineData("http://127.0.0.1#@example.com/")]
    public void Address_of_our_own_network_is_refused_in_any_spelling(string url) =>
        Assert.Equal(EgressRefusalCodes.ForbiddenAddress, Production.CheckUrl(url, out _)?.Code);

    [Theory]
    [InlineData("file:///etc/passwd", EgressRefusalCodes.ForbiddenScheme)]
    [InlineData("ftp://example.com/a.jpg", EgressRefusalCodes.ForbiddenScheme)]
    [InlineData("gopher://example.com/", EgressRefusalCodes.ForbiddenScheme)]
    [InlineData("data:image/png;base64,AAAA", EgressRefusalCodes.ForbiddenScheme)]
    [InlineData("javascript:alert(1)", EgressRefusalCodes.ForbiddenScheme)]
    [InlineData("http://user@example.com/", EgressRefusalCodes.InvalidUrl)]
    [InlineData("http://user:secret@example.com/", EgressRefusalCodes.InvalidUrl)]
    [InlineData("http://example.com:22/", EgressRefusalCodes.ForbiddenPort)]
    [InlineData("http://8.8.8.8:6379/", EgressRefusalCodes.ForbiddenPort)]
    [InlineData("http://example.com/\r\nX-Injected: 1", EgressRefusalCodes.InvalidUrl)]
    [InlineData("http://exa\0mple.com/", EgressRefusalCodes.InvalidUrl)]
    [InlineData("http:///a.jpg", EgressRefusalCodes.InvalidUrl)]
    [InlineData("//example.com/a.jpg", EgressRefusalCodes.InvalidUrl)]
    [InlineData("", EgressRefusalCodes.InvalidUrl)]
    public void Unacceptable_url_is_rejected_with_the_reason(string url, string code)
    {
        var refusal = Production.CheckUrl(url, out var uri);
        Assert.Null(uri);
        // Some platforms read this as a file path, others reject it as a URL. It is refused either way.
        if (url.StartsWith("//", StringComparison.Ordinal))
            Assert.NotNull(refusal);
        else
            Assert.Equal(code, refusal?.Code);
    }

    [Theory]
    [InlineData("http://example.com/a.jpg")]
    [InlineData("https://example.com:443/a,b.jpg?x=1,2")]
    [InlineData("https://bücher.example/ä.jpg")]
    [InlineData("http://100.128.0.0/")]
    [InlineData("http://[2001:4860:4860::8888]/")]
    [InlineData(" https://example.com/with%20blanks.jpg ")]
    public void Ordinary_url_is_allowed(string url)
    {
        Assert.Null(Production.CheckUrl(url, out var uri));
        Assert.NotNull(uri);
    }

    [Fact]
    public void Allowing_loopback_opens_no_other_private_address()
    {
        var guard = TestEgress.Guard(new EgressOptions { AllowLoopback = true });
        Assert.Null(guard.CheckUrl("http://127.0.0.1:5123/a.jpg", out _));
        Assert.Null(guard.CheckUrl("http://localhost:5123/a.jpg", out _));
        foreach (var host in (string[])["0.0.0.0", "10.0.0.1", "169.254.169.254", "192.168.1.1", "[fe80::1]", "[64:ff9b::7f00:1]"])
            Assert.Equal(EgressRefusalCodes.ForbiddenAddress, guard.CheckUrl($"http://{host}/", out _)?.Code);
        Assert.Equal(EgressRefusalCodes.ForbiddenPort, guard.CheckUrl("http://8.8.8.8:5123/", out _)?.Code);
    }

    [Fact]
    public async Task Name_that_resolves_to_loopback_is_never_connected_to()
    {
        await using var server = FaultServer.Answering("200 OK", [1]);
        foreach (var answer in (string[])["127.0.0.1", "::ffff:127.0.0.1", "0.0.0.0", "::1"])
        {
            var options = TestEgress.Options(o => (o.AllowLoopback, o.AdditionalPorts) = (false, [server.Port]));
            var failure = await FailureAsync(options, new FakeResolver().Answer("rebind.test", answer), $"http://rebind.test:{server.Port}/");
            Assert.Equal(EgressRefusalCodes.ForbiddenAddress, failure.Code);
            Assert.False(failure.IsTransient);
        }

        Assert.Equal(0, server.Connections);
    }

    [Fact]
    public async Task Name_with_one_private_address_among_public_ones_is_refused()
    {
        await using var server = FaultServer.Answering("200 OK", [1]);
        var options = TestEgress.Options(o => (o.AllowLoopback, o.AdditionalPorts) = (false, [server.Port]));
        var resolver = new FakeResolver().Answer("mixed.test", "93.184.215.14", "127.0.0.1");
        Assert.Equal(EgressRefusalCodes.ForbiddenAddress, (await FailureAsync(options, resolver, $"http://mixed.test:{server.Port}/")).Code);
        Assert.Equal(0, server.Connections);
    }

    [Fact]
    public async Task Name_is_resolved_once_so_rebinding_cannot_replace_the_checked_address()
    {
        // The first address passes the guard but refuses connections; the second would be the attacker's target.
        await using var server = FaultServer.Answering("200 OK", [1]);
        var closed = FreePort.Find();
        var resolver = new FakeResolver().Answer("rebind.test", "127.0.0.1").Answer("rebind.test", "10.0.0.1");
        var failure = await FailureAsync(TestEgress.Options(), resolver, $"http://rebind.test:{closed}/");
        Assert.Equal(ImageFailureCodes.ConnectFailed, failure.Code);
        Assert.Equal(1, resolver.Lookups);

        failure = await FailureAsync(TestEgress.Options(), resolver, $"http://rebind.test:{server.Port}/");
        Assert.Equal(EgressRefusalCodes.ForbiddenAddress, failure.Code);
        Assert.Equal(2, resolver.Lookups);
        Assert.Equal(0, server.Connections);
    }

    /// <summary>
    /// The guard lets both addresses pass, so only a second lookup could lead to the server: nothing listens on the first at its port.
    /// </summary>
    [Fact]
    public async Task A_thousand_names_that_rebind_are_looked_up_once_each_and_never_reach_their_second_address()
    {
        await using var server = FaultServer.Answering("200 OK", TestImages.TinyGif);
        var resolver = new FakeResolver();
        using var fetcher = TestEgress.Fetcher(TestEgress.Options(options => options.ConnectionsPerHost = 64), resolver);
        for (var i = 0; i < 1_000; i++)
            resolver.Answer($"rebind{i}.test", "127.0.0.2").Answer($"rebind{i}.test", "127.0.0.1");

        await Parallel.ForAsync(0, 1_000, async (i, _) =>
        {
            var failure = await Assert.ThrowsAsync<ImageFailedException>(
                () => fetcher.FetchAsync(new Uri($"http://rebind{i}.test:{server.Port}/"), CancellationToken.None));
            Assert.Equal(ImageFailureCodes.ConnectFailed, failure.Failure.Code);
        });

        Assert.Equal((1_000, 0), (resolver.Lookups, server.Connections));
    }

    [Fact]
    public async Task A_thousand_names_with_a_loopback_address_among_public_ones_are_never_dialled()
    {
        await using var server = FaultServer.Answering("200 OK", TestImages.TinyGif);
        var resolver = new FakeResolver();
        using var fetcher = TestEgress.Fetcher(TestEgress.Options(options => (options.AllowLoopback, options.AdditionalPorts) = (false, [server.Port])), resolver);
        for (var i = 0; i < 1_000; i++)
            resolver.Answer($"mixed{i}.test", i % 2 == 0 ? ["8.8.8.8", "127.0.0.1"] : ["::ffff:127.0.0.1", "2001:4860:4860::8888"]);

        await Parallel.ForAsync(0, 1_000, async (i, _) =>
        {
            var failure = await Assert.ThrowsAsync<ImageFailedException>(
                () => fetcher.FetchAsync(new Uri($"http://mixed{i}.test:{server.Port}/"), CancellationToken.None));
            Assert.Equal(EgressRefusalCodes.ForbiddenAddress, failure.Failure.Code);
        });

        Assert.Equal((1_000, 0), (resolver.Lookups, server.Connections));
    }

    [Theory]
    [InlineData("http://0x7f.1/")]
    [InlineData("http://017700000001/")]
    [InlineData("http://127.0.0.1.:80/")]
    [InlineData("http://0x0a.0x0.0x0.0x1/")]
    [InlineData("http://127｡0｡0｡1/")]
    [InlineData("http://127。0。0。1。/")]
    [InlineData("http://[0:0:0:0:0:ffff:127.0.0.1]/")]
    [InlineData("http://[0000:0000:0000:0000:0000:0000:0000:0001]/")]
    [InlineData("http://[::ffff:0:127.0.0.1]/")]
    [InlineData("http://[64:ff9b:1::10.0.0.1]/")]
    [InlineData("http://[2002:0a00:0001::1]/")]
    [InlineData("http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/")]
    [InlineData("http://[fe80::1%25eth0]/")]
    [InlineData("http://[fec0::1]/")]
    [InlineData("http://[ff02::1]/")]
    [InlineData("http://[5f00::1]/")]
    [InlineData("http://[2001:2::1]/")]
    [InlineData("http://[fd00:ec2::254]/latest/meta-data/")]
    [InlineData("http://169.254.170.2/v2/credentials")]
    [InlineData("http://169.254.43518/")]
    [InlineData("http://100.100.100.200/latest/meta-data/")]
    [InlineData("http://192.0.0.192/opc/v1/instance/")]
    [InlineData("http://127.0.0.1?@example.com/")]
    [InlineData("http://example.com@127.0.0.1/")]
    [InlineData("http://127.0.0.1\\@example.com/")]
    [InlineData("http://localhost%2f@example.com/")]
    [InlineData("http://x.LocalHost:80/")]
    public void Forms_that_no_shared_list_holds_are_refused_too(string url) => Assert.NotNull(Production.CheckUrl(url, out _));

    /// <summary>.NET takes these for names; a resolver may read them as an address.</summary>
    [Theory]
    [InlineData("http://①②⑦.⓪.⓪.①/")]
    [InlineData("http://１２７．０．０．１/")]
    [InlineData("http://metadata.google.internal/computeMetadata/v1/")]
    [InlineData("http://127.0.0.1.nip.io/")]
    public async Task A_name_is_checked_by_what_it_resolves_to(string url)
    {
        var resolver = new FakeResolver().Answer(new Uri(url).IdnHost, "169.254.169.254");

        var failure = await FailureAsync(new EgressOptions(), resolver, url);

        Assert.Equal((EgressRefusalCodes.ForbiddenAddress, 1), (failure.Code, resolver.Lookups));
    }

    [Fact]
    public async Task Second_address_is_tried_when_the_first_refuses()
    {
        await using var server = FaultServer.Answering("200 OK", TestImages.TinyGif);
        // Nothing listens on 127.0.0.2 at this port.
        var resolver = new FakeResolver().Answer("two.test", "127.0.0.2", "127.0.0.1");
        using var fetcher = TestEgress.Fetcher(TestEgress.Options(), resolver);
        using var image = await fetcher.FetchAsync(new Uri($"http://two.test:{server.Port}/"), CancellationToken.None);
        Assert.Equal(ImageFormat.Gif, image.Format);
    }

    [Fact]
    public void No_proxy_is_used_because_it_would_connect_to_unchecked_addresses()
    {
        using var handler = Production.CreateHandler();
        Assert.False(handler.UseProxy);
    }

    [Fact]
    public void Address_families_alternate()
    {
        IPAddress[] addresses = [IPAddress.Parse("2001:db8::1"), IPAddress.Parse("2001:db8::2"), IPAddress.Parse("192.0.2.1"), IPAddress.Parse("192.0.2.2")];
        Assert.Equal(["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2"], HappyEyeballsConnector.Interleave(addresses).Select(address => address.ToString()));
    }

    [Fact]
    public async Task Name_that_does_not_resolve_is_a_transient_failure()
    {
        var failure = await FailureAsync(TestEgress.Options(), new FakeResolver(), "http://nowhere.test/");
        Assert.Equal((ImageFailureCodes.DnsFailed, true), (failure.Code, failure.IsTransient));
    }

    [Fact]
    public async Task Name_server_that_cannot_tell_is_a_transient_failure_of_the_lookup()
    {
        var resolver = new FailingResolver(_ => throw new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.TryAgain));
        var failure = await FailureAsync(TestEgress.Options(), resolver, "http://nowhere.test/");
        Assert.Equal((ImageFailureCodes.DnsFailed, true), (failure.Code, failure.IsTransient));
    }

    [Fact]
    public async Task Lookup_that_never_ends_fails_as_one_before_the_connection_times_out()
    {
        var resolver = new FailingResolver(cancellationToken => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken));
        var failure = await FailureAsync(TestEgress.Options(options => options.Connect = TimeSpan.FromSeconds(5)), resolver, "http://hangs.test/");
        Assert.Equal((ImageFailureCodes.DnsFailed, true), (failure.Code, failure.IsTransient));
    }

    [HostileCorpusFact]
    public void Corpus_of_ssrf_hosts_is_allowed_or_refused_as_expected()
    {
        foreach (var line in File.ReadLines(HostileCorpus.File("made", "url", "ssrf_hosts.tsv")).Skip(1))
        {
            var (url, expected) = (line.Split('\t')[0], line.Split('\t')[2]);
            // Names, rebinding and redirects have their own tests, because they cannot be decided by the URL alone.
            if (!url.StartsWith("http", StringComparison.Ordinal))
                continue;
            var refusal = Production.CheckUrl(url, out var uri);
            var needsLookup = refusal is null && uri!.HostNameType == UriHostNameType.Dns;
            if (!needsLookup)
                Assert.True((refusal is null) == (expected == "allow-if-public"), $"{url}: {refusal?.Code ?? "allowed"}");
        }
    }

    private static async Task<ImageFailure> FailureAsync(EgressOptions options, INameResolver resolver, string url)
    {
        using var fetcher = TestEgress.Fetcher(options, resolver);
        return (await Assert.ThrowsAsync<ImageFailedException>(() => fetcher.FetchAsync(new Uri(url), CancellationToken.None))).Failure;
    }

    private sealed class FailingResolver(Func<CancellationToken, Task> fail) : INameResolver
    {
        public async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
        {
            await fail(cancellationToken);
            return [];
        }
    }
}
