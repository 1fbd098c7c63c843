using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Darkroom.Access;
using Darkroom.Api;
using Darkroom.AppHost.Local;
using Darkroom.Tests.Infrastructure;
using Darkroom.Tests.Webhooks;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Darkroom.Tests.EndToEnd;

/// <summary>
/// The whole product on servers of this test's own: API in this process, workers in processes of theirs, real Postgres, Redis
/// protocol and S3 protocol, an image server and a webhook receiver as the outside world.
/// </summary>
internal sealed class DarkroomSystem : IAsyncDisposable
{
    private readonly List<WorkerProcess> _workers = [];
    private Dictionary<string, string> _settings = [];
    private WebApplication? _api;

    private DarkroomSystem(TestDatabase database, TestRedis redis, TestS3 s3, ImageServer images, WebhookReceiver webhooks) =>
        (Database, Redis, S3, Images, Webhooks) = (database, redis, s3, images, webhooks);

    public TestDatabase Database { get; }
    public TestRedis Redis { get; }
    public TestS3 S3 { get; }
    public ImageServer Images { get; }
    public WebhookReceiver Webhooks { get; }
    public HttpClient Client { get; private set; } = null!;
    public string WebhookSecret { get; private set; } = null!;
    public IServiceProvider Api => _api!.Services;

    /// <param name="workers">Worker processes to start with.</param>
    /// <param name="settings">Configuration of all services beside what the harness sets.</param>
    public static async Task<DarkroomSystem> StartAsync(int workers = 1, params (string Name, string Value)[] settings)
    {
        var system = new DarkroomSystem(
            await TestDatabase.CreateAsync(), await TestRedis.StartAsync(), await TestS3.StartAsync(),
            await ImageServer.StartAsync(), await WebhookReceiver.StartAsync());
        system._settings = new Dictionary<string, string>
        {
            ["ConnectionStrings:darkroom"] = system.Database.ConnectionString,
            ["ConnectionStrings:redis"] = system.Redis.ConnectionString,
            ["ConnectionStrings:s3"] = system.S3.ConnectionString,
            ["Egress:AllowLoopback"] = "true",
            // Everything that heals by a lease or a poll heals within seconds here.
            ["Lease:DurationSeconds"] = "3",
            ["Lease:HeartbeatSeconds"] = "0.5",
            ["Lease:ScanSeconds"] = "0.5",
            ["Queue:StaleOfferSeconds"] = "2",
            ["ImageWork:FirstRetrySeconds"] = "0.2",
            ["Engine:PollSeconds"] = "1",
            ["Engine:FirstRetrySeconds"] = "0.2",
        };
        foreach (var (name, value) in settings) system._settings[name] = value;
        await system.StartApiAsync();
        for (var i = 0; i < workers; i++) system.StartWorker();
        return system;
    }

    public WorkerProcess StartWorker()
    {
        var worker = WorkerProcess.Start(_settings);
        _workers.Add(worker);
        return worker;
    }

    public async Task<JsonElement> UploadAsync(string csv, string? webhookUrl = null, string? workflow = null)
    {
        using var response = await PostAsync(csv, webhookUrl, workflow);
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.Accepted, $"{response.StatusCode}: {body}");
        return JsonDocument.Parse(body).RootElement;
    }

    public async Task<HttpResponseMessage> PostAsync(string csv, string? webhookUrl = null, string? workflow = null)
    {
        using var form = new MultipartFormDataContent { { new StringContent(csv), "file", "products.csv" } };
        if (webhookUrl is not null) form.Add(new StringContent(webhookUrl), "webhook_url");
        if (workflow is not null) form.Add(new StringContent(workflow), "workflow");
        return await Client.PostAsync("/v1/requests", form);
    }

    /// <summary>The request's status. While the database is away the API says so, and nothing else: then it is asked again.</summary>
    public async Task<JsonElement> StatusAsync(string id)
    {
        using var response = await Eventually.GetAsync(
            () => Client.GetAsync($"/v1/requests/{id}"), answer => answer.StatusCode != HttpStatusCode.ServiceUnavailable,
            TimeSpan.FromSeconds(20), "The API answers again");
        response.EnsureSuccessStatusCode();
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
    }

    /// <summary>Polls until the request has ended; on the way the percentage must never fall, nor reach 100 before the end.</summary>
    public async Task<JsonElement> WaitForEndAsync(string id, TimeSpan? timeout = null)
    {
        var last = 0;
        return await Eventually.GetAsync(
            async () =>
            {
                var status = await StatusAsync(id);
                var percentage = status.GetProperty("processing_percentage").GetInt32();
                Assert.True(percentage >= last, $"The percentage fell from {last} to {percentage}.");
                last = percentage;
                if (!Ended(status)) Assert.True(percentage < 100, "100 % before the end.");
                return status;
            },
            Ended, timeout ?? TimeSpan.FromSeconds(60), $"Request {id} ends");
    }

    /// <summary>Waits until this many images of a request have an outcome.</summary>
    public Task WaitForImagesAsync(string id, int images) =>
        Eventually.GetAsync(
            async () => Finished(await StatusAsync(id)), finished => finished >= images, TimeSpan.FromSeconds(60), $"{images} images of {id} end");

    public async Task<string> OutputAsync(string id) => await Client.GetStringAsync($"/v1/requests/{id}/output.csv");

    public static int Finished(JsonElement status)
    {
        var images = status.GetProperty("images");
        return images.GetProperty("succeeded").GetInt32() + images.GetProperty("failed").GetInt32();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var worker in _workers) await worker.DisposeAsync();
        Client?.Dispose();
        if (_api is not null)
        {
            await _api.StopAsync();
            await _api.DisposeAsync();
        }

        await Images.DisposeAsync();
        await Webhooks.DisposeAsync();
        await S3.DisposeAsync();
        await Redis.DisposeAsync();
        await Database.DisposeAsync();
    }

    private static bool Ended(JsonElement status) =>
        status.GetProperty("status").GetString() is "completed" or "completed_with_errors" or "failed" or "cancelled";

    private async Task StartApiAsync()
    {
        // The address is part of the links that workers write, so it must be known before the first one starts.
        _settings["Links:BaseUrl"] = $"http://127.0.0.1:{FreePort.Find()}";
        var arguments = _settings.Select(setting => $"--{setting.Key}={setting.Value}");
        _api = ApiApp.Build([.. arguments, $"--urls={_settings["Links:BaseUrl"]}", "--environment=Development", "--Logging:LogLevel:Default=Warning"]);
        await _api.StartAsync();
        var keys = _api.Services.GetRequiredService<ApiKeyStore>();
        var key = await keys.CreateAsync("test", "test", Scopes.All, CancellationToken.None);
        WebhookSecret = key.WebhookSecret!;
        Client = new HttpClient { BaseAddress = new Uri(_settings["Links:BaseUrl"]) };
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key.Text);
    }
}
