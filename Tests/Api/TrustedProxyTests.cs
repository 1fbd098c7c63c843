using System.Net;
using Darkroom.Access;
using Microsoft.Extensions.Options;

namespace Darkroom.Tests.Api;

/// <summary>
/// Which <c>X-Forwarded-*</c> headers are trusted. The tests' client, on loopback, acts as the proxy; a source may send only one bad key.
/// </summary>
public sealed class TrustedProxyTests : ApiTest
{
    protected override string[] Settings => ["Access:BadKeysPerSource=1", "Server:TrustedProxies=127.0.0.1 198.51.100.0/24"];

    [Fact]
    public async Task Clients_behind_a_trusted_proxy_are_counted_separately()
    {
        Assert.Equal(HttpStatusCode.Unauthorized, await SendBadKeyAsync(Api, "203.0.113.1"));
        Assert.Equal(HttpStatusCode.Unauthorized, await SendBadKeyAsync(Api, "203.0.113.2"));
        Assert.Equal(HttpStatusCode.TooManyRequests, await SendBadKeyAsync(Api, "203.0.113.1"));
    }

    [Theory]
    [InlineData("Server:TrustedProxies=")]
    [InlineData("Server:TrustedProxies=198.51.100.0/24 2001:db8::1")]
    public async Task X_Forwarded_For_from_an_untrusted_address_is_ignored(string trusted)
    {
        await using var api = await TestApi.StartAsync(Database.ConnectionString, S3.ConnectionString, "Access:BadKeysPerSource=1", trusted);

        Assert.Equal(HttpStatusCode.Unauthorized, await SendBadKeyAsync(api, "203.0.113.1"));
        Assert.Equal(HttpStatusCode.TooManyRequests, await SendBadKeyAsync(api, "203.0.113.2"));
    }

    [Fact]
    public async Task X_Forwarded_For_entries_set_by_the_client_are_ignored()
    {
        Assert.Equal(HttpStatusCode.Unauthorized, await SendBadKeyAsync(Api, "192.0.2.1, 203.0.113.1"));
        Assert.Equal(HttpStatusCode.TooManyRequests, await SendBadKeyAsync(Api, "192.0.2.2, 203.0.113.1"));
        Assert.Equal(HttpStatusCode.Unauthorized, await SendBadKeyAsync(Api, "203.0.113.1, 203.0.113.2"));
    }

    [Fact]
    public async Task A_chain_of_trusted_proxies_yields_the_client_address()
    {
        Assert.Equal(HttpStatusCode.Unauthorized, await SendBadKeyAsync(Api, "203.0.113.1, 198.51.100.7"));
        Assert.Equal(HttpStatusCode.Unauthorized, await SendBadKeyAsync(Api, "203.0.113.2, 198.51.100.7"));
        Assert.Equal(HttpStatusCode.TooManyRequests, await SendBadKeyAsync(Api, "203.0.113.1"));
    }

    [Fact]
    public async Task X_Forwarded_Proto_from_a_trusted_proxy_makes_the_cookie_secure()
    {
        await using var direct = await TestApi.StartAsync(Database.ConnectionString, S3.ConnectionString);

        Assert.Contains("; secure", await SignInAsync(Api), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("; secure", await SignInAsync(direct), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("proxy.example.com")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.1,10.0.0.2")]
    public async Task An_invalid_proxy_address_prevents_startup(string proxy)
    {
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(
            () => TestApi.StartAsync(Database.ConnectionString, S3.ConnectionString, $"Server:TrustedProxies=127.0.0.1 {proxy}"));

        Assert.Contains($"Server:TrustedProxies: {proxy} is neither an address", refused.Message, StringComparison.Ordinal);
    }

    private static async Task<HttpStatusCode> SendBadKeyAsync(TestApi api, string forwardedFor)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/requests");
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {ApiKeyText.Generate()}");
        request.Headers.TryAddWithoutValidation("X-Forwarded-For", forwardedFor);
        using var response = await api.Anonymous.SendAsync(request);
        return response.StatusCode;
    }

    private static async Task<string> SignInAsync(TestApi api)
    {
        using var client = await api.ClientAsync("alice", Scopes.WorkflowsRead);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/studio/session");
        request.Headers.TryAddWithoutValidation("X-Forwarded-For", "203.0.113.1");
        request.Headers.TryAddWithoutValidation("X-Forwarded-Proto", "https");
        using var response = await client.SendAsync(request);
        return Assert.Single(response.Headers.GetValues("Set-Cookie"));
    }
}
