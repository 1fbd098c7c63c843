using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Darkroom.Access;
using Darkroom.Api.Access;
using Darkroom.Api.Problems;
using Darkroom.Api.Webhooks;
using Darkroom.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Darkroom.Tests.Webhooks;

public sealed class WebhooksEndpointsTests : IAsyncLifetime
{
    private const string Url = "https://receiver.example/hook";

    private WebhookScenario _scenario = null!;
    private WebApplication _api = null!;
    private HttpClient _owner = null!;
    private HttpClient _stranger = null!;

    public async Task InitializeAsync()
    {
        _scenario = await WebhookScenario.CreateAsync();
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(_scenario.Database);
        builder.Services.AddSingleton<RequestStore>();
        builder.Services.AddProblems();
        builder.Services.AddWebhooks();
        builder.AddAccess();
        _api = builder.Build();
        _api.UseProblems();
        _api.UseAuthentication();
        _api.UseAuthorization();
        _api.MapWebhooks();
        await _api.StartAsync();
        _owner = await ClientAsync("acme");
        _stranger = await ClientAsync("stranger");
    }

    public async Task DisposeAsync()
    {
        _owner.Dispose();
        _stranger.Dispose();
        await _api.DisposeAsync();
        await _scenario.DisposeAsync();
    }

    [Fact]
    public async Task A_requests_webhooks_are_listed_with_their_attempts()
    {
        var request = await _scenario.EndRunAsync(Url);
        await _scenario.ExecuteAsync(
            """
            insert into webhook_attempts (delivery_id, attempt, started_at, duration_ms, status, error, response)
            select id, 1, now(), 12, 500, 'http_500', 'Oh no' from webhook_deliveries
            """);

        var item = (await _owner.GetFromJsonAsync<JsonElement>($"/v1/requests/{request}/webhooks")).GetProperty("items").EnumerateArray().Single();

        Assert.StartsWith("msg_", item.GetProperty("id").GetString(), StringComparison.Ordinal);
        Assert.Equal((Url, "pending", 1), (item.GetProperty("url").GetString(), item.GetProperty("state").GetString(), item.GetProperty("run").GetInt32()));
        var attempt = item.GetProperty("attempts").EnumerateArray().Single();
        Assert.Equal((12, 500, "http_500", "Oh no"), (
            attempt.GetProperty("duration_ms").GetInt32(),
            attempt.GetProperty("status").GetInt32(),
            attempt.GetProperty("error").GetString(),
            attempt.GetProperty("response").GetString()));
    }

    [Fact]
    public async Task A_webhook_is_replayed_on_request()
    {
        var request = await _scenario.EndRunAsync(Url);
        await _scenario.ExecuteAsync("update webhook_deliveries set state = 'failed', attempts = 10, next_attempt_at = null, finished_at = now()");
        var id = (await _scenario.DeliveryAsync(request)).Id;

        using var response = await _owner.PostAsync(new Uri($"/v1/webhooks/{id}/replay", UriKind.Relative), content: null);

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        Assert.Equal("pending", (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("state").GetString());
        Assert.NotNull((await _scenario.DeliveryAsync(request)).NextAttemptAt);
    }

    [Fact]
    public async Task Only_the_owner_can_enable_a_disabled_endpoint()
    {
        var request = await _scenario.EndRunAsync(Url);
        var id = (await _scenario.DeliveryAsync(request)).Id;
        await _scenario.ExecuteAsync(
            """
            insert into webhook_disabled_endpoints (owner_id, url) select owner_id, url from webhook_deliveries;
            update webhook_deliveries set state = 'disabled', next_attempt_at = null, finished_at = now()
            """);

        using var replay = await _owner.PostAsync(new Uri($"/v1/webhooks/{id}/replay", UriKind.Relative), content: null);
        using var stranger = await _stranger.PostAsJsonAsync("/v1/webhooks/endpoints/enable", new { url = Url });
        using var enabled = await _owner.PostAsJsonAsync("/v1/webhooks/endpoints/enable", new { url = Url });
        using var again = await _owner.PostAsJsonAsync("/v1/webhooks/endpoints/enable", new { url = Url });

        Assert.Equal("endpoint_disabled", await CodeAsync(replay, HttpStatusCode.Conflict));
        Assert.Equal("endpoint_not_disabled", await CodeAsync(stranger, HttpStatusCode.NotFound));
        Assert.Equal(HttpStatusCode.OK, enabled.StatusCode);
        Assert.Equal(1, (await enabled.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("held_back").GetInt32());
        Assert.Equal("endpoint_not_disabled", await CodeAsync(again, HttpStatusCode.NotFound));
    }

    [Fact]
    public async Task A_new_secret_is_shown_once_and_never_cached()
    {
        using var response = await _owner.PostAsync(new Uri("/v1/webhooks/secret/rotate", UriKind.Relative), content: null);

        Assert.True(response.Headers.CacheControl?.NoStore);
        var rotated = await response.Content.ReadFromJsonAsync<JsonElement>();
        var live = await _scenario.Secrets.LiveAsync(_scenario.Owner, default);
        Assert.Equal([rotated.GetProperty("secret").GetString()!, _scenario.Secret], live);
        Assert.True(rotated.GetProperty("previous_expires_at").GetDateTimeOffset() > TimeProvider.System.GetUtcNow().AddHours(23));
    }

    [Fact]
    public async Task Another_owners_request_and_webhook_are_unknown()
    {
        var request = await _scenario.EndRunAsync(Url);
        var id = (await _scenario.DeliveryAsync(request)).Id;

        using var list = await _stranger.GetAsync(new Uri($"/v1/requests/{request}/webhooks", UriKind.Relative));
        using var replay = await _stranger.PostAsync(new Uri($"/v1/webhooks/{id}/replay", UriKind.Relative), content: null);

        Assert.Equal("request_not_found", await CodeAsync(list, HttpStatusCode.NotFound));
        Assert.Equal("webhook_not_found", await CodeAsync(replay, HttpStatusCode.NotFound));
    }

    [Theory]
    [InlineData("GET", "/v1/requests/nonsense/webhooks")]
    [InlineData("GET", "/v1/requests/00000000-0000-0000-0000-000000000000/webhooks")]
    [InlineData("POST", "/v1/webhooks/msg_unknown/replay")]
    [InlineData("POST", "/v1/webhooks/msg_%27--/replay")]
    public async Task An_invalid_id_is_not_found(string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await _owner.SendAsync(request);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task Calls_without_a_key_are_rejected()
    {
        using var anonymous = new HttpClient { BaseAddress = _owner.BaseAddress };
        using var response = await anonymous.PostAsync(new Uri("/v1/webhooks/secret/rotate", UriKind.Relative), content: null);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    private async Task<HttpClient> ClientAsync(string owner)
    {
        var key = await _api.Services.GetRequiredService<ApiKeyStore>().CreateAsync(owner, "test", [Scopes.Requests], default);
        var client = new HttpClient { BaseAddress = new Uri(_api.Urls.First()) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key.Text);
        return client;
    }

    private static async Task<string?> CodeAsync(HttpResponseMessage response, HttpStatusCode expected)
    {
        Assert.Equal(expected, response.StatusCode);
        return (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString();
    }
}
