using System.Net;
using Darkroom.Access;
using Darkroom.Tests.AppHost;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.Studio;

/// <summary>How Studio's package is served, with a package made by this test: no npm is needed.</summary>
public sealed class StudioFilesTests : IAsyncLifetime
{
    private readonly TemporaryFolder _package = new();
    private TestDatabase _database = null!;
    private StudioSite _site = null!;
    private HttpClient _client = null!;

    public async Task InitializeAsync()
    {
        Write("package.json", """{"name":"@elsa-workflows/elsa-studio-wasm","version":"3.8.2"}""");
        Write("index.html", "not ours");
        Write("_framework/Elsa.Studio.Core.0123456789.wasm", "plain wasm");
        Write("_framework/Elsa.Studio.Core.0123456789.wasm.br", "brotli wasm");
        Write("_framework/Elsa.Studio.Core.0123456789.wasm.gz", "gzip wasm");
        Write("_framework/icudt.abcdefghij.dat", "plain dat");
        Write("_framework/dotnet.js", "plain js");
        Write("_framework/dotnet.js.gz", "gzip js");
        Write("_content/site.webmanifest", "{}");
        _database = await TestDatabase.CreateAsync();
        _site = await StudioSite.StartAsync(_database, ("PackageFolder", _package.Path));
        _client = _site.Browser();
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _site.DisposeAsync();
        await _database.DisposeAsync();
        _package.Dispose();
    }

    [Theory]
    [InlineData("gzip, deflate, br", "br", "brotli wasm")]
    [InlineData("gzip", "gzip", "gzip wasm")]
    [InlineData("br;q=0, gzip", "gzip", "gzip wasm")]
    [InlineData("identity", null, "plain wasm")]
    public async Task The_best_encoding_that_the_client_accepts_is_sent(string accepted, string? coding, string content)
    {
        using var response = await GetAsync("/studio/_framework/Elsa.Studio.Core.0123456789.wasm", accepted);

        Assert.Equal(coding, response.Content.Headers.ContentEncoding.SingleOrDefault());
        Assert.Equal("application/wasm", response.Content.Headers.ContentType?.ToString());
        Assert.Equal("Accept-Encoding", Assert.Single(response.Headers.Vary));
        Assert.Equal(content, await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("_framework/Elsa.Studio.Core.0123456789.wasm", "public, max-age=31536000, immutable")]
    [InlineData("_framework/icudt.abcdefghij.dat", "public, max-age=31536000, immutable")]
    [InlineData("_framework/dotnet.js", "no-cache")]
    [InlineData("_content/site.webmanifest", "no-cache")]
    public async Task Only_files_named_after_their_content_are_cached_forever(string path, string expected)
    {
        using var response = await GetAsync("/studio/" + path);

        Assert.Equal(Parts(expected), Parts(Assert.Single(response.Headers.GetValues("Cache-Control"))));

        static string[] Parts(string value) => [.. value.Split(',', StringSplitOptions.TrimEntries).Order()];
    }

    [Theory]
    [InlineData("_framework/icudt.abcdefghij.dat", "application/octet-stream")]
    [InlineData("_framework/dotnet.js", "text/javascript; charset=utf-8")]
    [InlineData("_content/site.webmanifest", "application/manifest+json")]
    public async Task Each_kind_of_file_has_its_content_type(string path, string type)
    {
        using var response = await GetAsync("/studio/" + path);

        Assert.Equal(type, response.Content.Headers.ContentType?.ToString());
    }

    [Fact]
    public async Task A_file_that_the_browser_has_cached_is_not_sent_again()
    {
        using var first = await GetAsync("/studio/_framework/dotnet.js", "gzip");
        using var plain = await GetAsync("/studio/_framework/dotnet.js", "identity");
        Assert.NotEqual(first.Headers.ETag, plain.Headers.ETag);

        using var again = new HttpRequestMessage(HttpMethod.Get, "/studio/_framework/dotnet.js");
        again.Headers.AcceptEncoding.ParseAdd("gzip");
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var second = await _client.SendAsync(again);

        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
    }

    [Theory]
    [InlineData("/studio/index.html")]
    [InlineData("/studio/package.json")]
    [InlineData("/studio/_framework/dotnet.js.gz")]
    [InlineData("/studio/../../etc/passwd")]
    [InlineData("/studio/%2e%2e/%2e%2e/etc/passwd")]
    [InlineData("/studio/..%2f..%2fetc%2fpasswd")]
    public async Task Nothing_but_the_package_is_served(string path)
    {
        using var response = await _client.GetAsync(new Uri(_site.Address + path[1..]));

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task Anyone_not_signed_in_is_redirected_to_sign_in_and_back()
    {
        using var redirect = await _client.GetAsync("/studio/workflows/definitions/image-compression/edit?x=1");

        Assert.Equal(HttpStatusCode.Found, redirect.StatusCode);
        Assert.Equal(
            "/studio/sign-in?return=%2Fstudio%2Fworkflows%2Fdefinitions%2Fimage-compression%2Fedit%3Fx%3D1", redirect.Headers.Location?.OriginalString);
        using var page = await _client.GetAsync(redirect.Headers.Location);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
    }

    [Theory]
    [InlineData("/studio/workflows/definitions")]
    [InlineData("/studio/workflows/definitions/image-compression/edit")]
    [InlineData("/studio/workflows/instances")]
    [InlineData("/studio/workflows/instances/1/view")]
    public async Task Each_view_is_the_same_page_and_loads_nothing_from_other_sites(string path)
    {
        using var browser = await _site.SignedInAsync(Scopes.WorkflowsRead);

        using var page = await browser.GetAsync(path);

        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        var policy = Assert.Single(page.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'self';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("http", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("http", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_package_the_page_says_what_to_do()
    {
        using var empty = new TemporaryFolder();
        await using var site = await StudioSite.StartAsync(_database, ("PackageFolder", empty.Path));
        using var browser = site.Browser();

        using var page = await browser.GetAsync("/studio/workflows/definitions");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, page.StatusCode);
        Assert.Equal("text/html", page.Content.Headers.ContentType?.MediaType);
        Assert.Contains("npm ci", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private async Task<HttpResponseMessage> GetAsync(string path, string? accepted = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (accepted is not null)
            request.Headers.TryAddWithoutValidation("Accept-Encoding", accepted);
        return await _client.SendAsync(request);
    }

    private void Write(string name, string content)
    {
        var path = Path.Combine(_package.Path, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }
}
