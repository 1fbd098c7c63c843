using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.EndToEnd;

/// <summary>One owner's access to a running product, through its HTTP API only.</summary>
internal sealed class DarkroomClient : IDisposable
{
    public DarkroomClient(Uri api, string key, HttpMessageHandler? handler = null)
    {
        Http = new HttpClient(handler ?? new HttpClientHandler()) { BaseAddress = api };
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    public HttpClient Http { get; }

    /// <summary>Waits until an API that has just been started answers.</summary>
    public Task IsReadyAsync() => Eventually.TrueAsync(async () =>
    {
        try
        {
            using var health = await Http.GetAsync("/health");
            return health.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    });

    public async Task<SubmittedRequest> UploadAsync(string csv, string? webhookUrl = null, string? workflow = null)
    {
        // 503 means that nothing changed and the client may retry; a loaded machine can be that slow.
        using var response = await Eventually.GetAsync(
            () => PostAsync(csv, webhookUrl, workflow), answer => answer.StatusCode != HttpStatusCode.ServiceUnavailable,
            "The API takes an upload");
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.Accepted, $"{response.StatusCode}: {body}");
        return new SubmittedRequest(this, JsonDocument.Parse(body).RootElement.GetProperty("id").GetString()!);
    }

    /// <summary>Uploads once. Null if the API refuses it for now, in which case it must say when to try again.</summary>
    public async Task<SubmittedRequest?> TryUploadAsync(string csv)
    {
        using var response = await PostAsync(csv, null, null);
        var body = await response.Content.ReadAsStringAsync();
        if (response.StatusCode == HttpStatusCode.ServiceUnavailable && response.Headers.RetryAfter is not null)
            return null;
        Assert.True(response.StatusCode == HttpStatusCode.Accepted, $"{response.StatusCode}: {body}");
        return new SubmittedRequest(this, JsonDocument.Parse(body).RootElement.GetProperty("id").GetString()!);
    }

    /// <summary>Creates a new webhook secret for this owner; the previous one stays valid for a while.</summary>
    public async Task<string> RotateWebhookSecretAsync()
    {
        using var response = await Http.PostAsync("/v1/webhooks/secret/rotate", null);
        response.EnsureSuccessStatusCode();
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("secret").GetString()!;
    }

    public void Dispose() => Http.Dispose();

    private async Task<HttpResponseMessage> PostAsync(string csv, string? webhookUrl, string? workflow)
    {
        using var form = new MultipartFormDataContent { { new StringContent(csv), "file", "products.csv" } };
        if (webhookUrl is not null)
            form.Add(new StringContent(webhookUrl), "webhook_url");
        if (workflow is not null)
            form.Add(new StringContent(workflow), "workflow");
        return await Http.PostAsync("/v1/requests", form);
    }
}
