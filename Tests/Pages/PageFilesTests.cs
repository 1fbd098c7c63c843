using System.Net;
using System.Net.Http.Headers;

namespace Darkroom.Tests.Pages;

/// <summary>How the page's files are served.</summary>
public sealed class PageFilesTests : IAsyncLifetime
{
    private readonly PageSite _site = new();

    public Task InitializeAsync() => _site.StartAsync();

    public async Task DisposeAsync() => await _site.DisposeAsync();

    [Fact]
    public async Task Page_forbids_third_party_scripts_styles_and_requests()
    {
        using var response = await _site.Client.GetAsync("/");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/html", response.Content.Headers.ContentType?.MediaType);
        var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'self';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("require-trusted-types-for 'script'", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal("no-referrer", Assert.Single(response.Headers.GetValues("Referrer-Policy")));
    }

    [Fact]
    public async Task Images_may_come_from_the_configured_origins_only()
    {
        await using var site = new PageSite { ImageOrigins = "https://images.example.com http://127.0.0.1:9000" };
        await site.StartAsync();

        using var response = await site.Client.GetAsync("/");

        var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("; img-src 'self' blob: https://images.example.com http://127.0.0.1:9000;", policy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_origin_that_would_widen_the_policy_prevents_startup()
    {
        await using var site = new PageSite { ImageOrigins = "*; script-src *" };

        await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(site.StartAsync);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/pages/app.js")]
    [InlineData("/pages/site.css")]
    [InlineData("/pages/icon.svg")]
    public async Task A_file_that_has_not_changed_is_not_sent_again(string path)
    {
        using var first = await _site.Client.GetAsync(path);
        var tag = first.Headers.ETag;
        Assert.NotNull(tag);
        Assert.True(first.Headers.CacheControl!.NoCache);

        using var again = new HttpRequestMessage(HttpMethod.Get, path);
        again.Headers.IfNoneMatch.Add(tag);
        using var second = await _site.Client.SendAsync(again);

        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
    }

    [Fact]
    public async Task Compressed_files_have_their_own_ETag()
    {
        using var plain = await _site.Client.GetAsync("/pages/site.css");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/pages/site.css");
        request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("gzip"));
        using var packed = await _site.Client.SendAsync(request);

        Assert.Equal("gzip", Assert.Single(packed.Content.Headers.ContentEncoding));
        Assert.NotEqual(plain.Headers.ETag, packed.Headers.ETag);
        await using var unpacked = new System.IO.Compression.GZipStream(
            await packed.Content.ReadAsStreamAsync(), System.IO.Compression.CompressionMode.Decompress);
        using var reader = new StreamReader(unpacked);
        Assert.Equal(await plain.Content.ReadAsStringAsync(), await reader.ReadToEndAsync());
    }

    [Fact]
    public async Task A_sample_is_offered_only_if_one_is_configured()
    {
        using var none = await _site.Client.GetAsync("/pages/sample.csv");
        Assert.Equal(HttpStatusCode.NoContent, none.StatusCode);

        await using var site = new PageSite { SampleCsv = new Uri(_site.Client.BaseAddress!, "/pages/icon.svg").AbsoluteUri };
        await site.StartAsync();
        using var sample = await site.Client.GetAsync("/pages/sample.csv");

        Assert.Equal("text/csv", sample.Content.Headers.ContentType?.MediaType);
        Assert.Equal(await _site.Client.GetStringAsync("/pages/icon.svg"), await sample.Content.ReadAsStringAsync());

        await _site.DisposeAsync();
        using var gone = await site.Client.GetAsync("/pages/sample.csv");
        Assert.Equal(HttpStatusCode.NoContent, gone.StatusCode);
    }

    [Fact]
    public async Task Nothing_else_of_the_assembly_is_served()
    {
        using var response = await _site.Client.GetAsync("/pages/PagesEndpoints.cs");

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }
}
