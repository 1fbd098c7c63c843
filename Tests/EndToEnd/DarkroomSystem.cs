using Darkroom.Access;
using Darkroom.Api;
using Darkroom.AppHost.Hosting;
using Darkroom.Images.Decoders;
using Darkroom.Tests.Images.Decoders;
using Darkroom.Tests.Infrastructure;
using Darkroom.Tests.Webhooks;
using Darkroom.Worker;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Darkroom.Tests.EndToEnd;

/// <summary>
/// The whole product on the test's own servers: API and workers in this process, workers to be killed in separate processes, real
/// Postgres, the Redis and S3 protocols, and an image server and a webhook receiver as the outside world.
/// </summary>
internal sealed class DarkroomSystem : IAsyncDisposable
{
    /// <summary>Settings with which leases expire and polls run within seconds.</summary>
    public static readonly IReadOnlyDictionary<string, string> ShortTimeouts = new Dictionary<string, string>
    {
        ["Egress:AllowLoopback"] = "true",
        // Many systems run at once, each with a few small images.
        ["Images:CodecSlots"] = "1",
        // In these tests all images come from one host.
        ["Egress:ConnectionsPerHost"] = "64",
        ["Lease:Duration"] = "00:00:03",
        ["Lease:Heartbeat"] = "00:00:00.5",
        ["Lease:Scan"] = "00:00:00.5",
        ["Queue:StaleOffer"] = "00:00:02",
        ["ImageWork:FirstRetryDelay"] = "00:00:00.2",
        ["Engine:Poll"] = "00:00:01",
        ["Engine:FirstRetryDelay"] = "00:00:00.2",
    };

    private readonly List<IHost> _workers = [];
    private readonly List<ServiceProcess> _processes = [];
    private readonly Dictionary<string, string> _settings = new(ShortTimeouts);
    private WebApplication? _api;
    private string _key = "";

    private DarkroomSystem(TestDatabase database, TestRedis redis, TestS3 s3, ImageServer images, WebhookReceiver webhooks) =>
        (Database, Redis, S3, Images, Webhooks) = (database, redis, s3, images, webhooks);

    public TestDatabase Database { get; }
    public TestRedis Redis { get; }
    public TestS3 S3 { get; }
    public ImageServer Images { get; }
    public WebhookReceiver Webhooks { get; }
    public DarkroomClient Client { get; private set; } = null!;

    /// <summary>What the workers in this process decode with.</summary>
    public DecoderProgram Decoder { get; set; } = TestDecoders.Own;

    public string WebhookSecret { get; private set; } = null!;

    /// <summary>The settings of all services. Changes apply to those started afterwards.</summary>
    public IDictionary<string, string> Settings => _settings;

    /// <summary>The services of the API and of each worker in this process.</summary>
    public IServiceProvider[] Services => [_api!.Services, .. _workers.Select(worker => worker.Services)];

    /// <param name="workers">Workers in this process.</param>
    /// <param name="redis">Which Redis server to use.</param>
    /// <param name="postgres">Connection string of the test's own server. Null: the test run's shared server.</param>
    /// <param name="settings">Additional settings for all services.</param>
    public static Task<DarkroomSystem> StartAsync(
        int workers = 1, RedisKind redis = RedisKind.Garnet, string? postgres = null, params (string Name, string Value)[] settings) =>
        StartAsync(workers, redis, postgres, _ => Task.CompletedTask, settings);

    /// <param name="workers">Workers in this process.</param>
    /// <param name="redis">Which Redis server to use.</param>
    /// <param name="postgres">Connection string of the test's own server. Null: the test run's shared server.</param>
    /// <param name="prepare">Called when the servers run and the services do not yet; may change <see cref="Settings"/> and <see cref="Decoder"/>.</param>
    /// <param name="settings">Additional settings for all services.</param>
    public static async Task<DarkroomSystem> StartAsync(
        int workers, RedisKind redis, string? postgres, Func<DarkroomSystem, Task> prepare, params (string Name, string Value)[] settings)
    {
        var system = new DarkroomSystem(
            await TestDatabase.CreateAsync(postgres), await TestRedis.StartAsync(redis), await TestS3.StartAsync(),
            await ImageServer.StartAsync(), await WebhookReceiver.StartAsync());
        system._settings["ConnectionStrings:darkroom"] = system.Database.ConnectionString;
        system._settings["ConnectionStrings:redis"] = system.Redis.ConnectionString;
        system._settings["ConnectionStrings:s3"] = system.S3.ConnectionString;
        await prepare(system);
        foreach (var (name, value) in settings)
            system._settings[name] = value;
        await system.StartApiAsync();
        for (var i = 0; i < workers; i++)
            await system.StartWorkerAsync();
        return system;
    }

    /// <summary>Another owner's access.</summary>
    /// <param name="owner">Whose key it gets.</param>
    /// <param name="api">Another API than this process'.</param>
    /// <param name="handler">How to get there.</param>
    public async Task<DarkroomClient> ClientOfAsync(string owner, Uri? api = null, HttpMessageHandler? handler = null)
    {
        var key = await _api!.Services.GetRequiredService<ApiKeyStore>().CreateAsync(owner, "test", Scopes.All, CancellationToken.None);
        return new DarkroomClient(api ?? new Uri(_settings["Links:BaseUrl"]), key.Text, handler);
    }

    /// <summary>Starts a second API in a separate process, which can be killed. Returns it and a client of the default owner.</summary>
    public async Task<(ServiceProcess Process, DarkroomClient Client)> StartApiProcessAsync()
    {
        var url = $"http://127.0.0.1:{FreePort.Find()}";
        var api = ServiceProcess.StartApi(_settings, url);
        _processes.Add(api);
        var client = new DarkroomClient(new Uri(url), _key);
        await client.IsReadyAsync();
        return (api, client);
    }

    /// <summary>Starts a worker in a separate process, which can be killed.</summary>
    /// <param name="settings">Settings for this worker only.</param>
    public ServiceProcess StartWorkerProcess(
        params (string Name, string Value)[] settings)
    {
        var own = new Dictionary<string, string>(_settings);
        foreach (var (name, value) in settings)
            own[name] = value;
        var worker = ServiceProcess.Start(own);
        _processes.Add(worker);
        return worker;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
            await process.DisposeAsync();
        foreach (var worker in _workers)
        {
            await worker.StopAsync();
            await ((IAsyncDisposable)worker).DisposeAsync();
        }

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

    private async Task StartApiAsync()
    {
        // Workers write this URL into links, so it must be known before the first one starts.
        _settings["Links:BaseUrl"] = $"http://127.0.0.1:{FreePort.Find()}";
        _api = ApiApp.Build([.. Arguments(), $"--urls={_settings["Links:BaseUrl"]}"]);
        await _api.StartAsync();
        var keys = _api.Services.GetRequiredService<ApiKeyStore>();
        var key = await keys.CreateAsync("test", "test", Scopes.All, CancellationToken.None);
        WebhookSecret = key.WebhookSecret!;
        _key = key.Text;
        Client = new DarkroomClient(new Uri(_settings["Links:BaseUrl"]), key.Text);
    }

    /// <summary>Starts a worker in this process.</summary>
    /// <param name="time">Its clock. Null: the system's.</param>
    public async Task StartWorkerAsync(TimeProvider? time = null)
    {
        var worker = WorkerApp.Build(
            [.. Arguments()], builder => builder.Services.AddSingleton(Decoder).AddSingleton(time ?? TimeProvider.System));
        _workers.Add(worker);
        await worker.StartAsync();
    }

    private IEnumerable<string> Arguments() =>
        ["--environment=Development", "--Logging:LogLevel:Default=Warning", .. _settings.Select(setting => $"--{setting.Key}={setting.Value}")];
}
