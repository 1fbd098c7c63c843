using System.Net;
using Darkroom.Access;
using Darkroom.Data;
using Darkroom.Egress;
using Darkroom.Engine;
using Darkroom.Leases;
using Darkroom.Requests;
using Darkroom.Runs;
using Darkroom.Storage;
using Darkroom.Tests.Infrastructure;
using Darkroom.Webhooks;
using Darkroom.Worker.Webhooks;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Tests.Webhooks;

/// <summary>A database with an owner, finished requests, and workers that send the outbox.</summary>
internal sealed class WebhookScenario : IAsyncDisposable
{
    private readonly List<IHost> _workers = [];
    private readonly TestDatabase _database;

    private WebhookScenario(TestDatabase database, OwnerId owner, string secret)
    {
        _database = database;
        Owner = owner;
        Secret = secret;
        Log = new WebhookLog(database.DataSource);
        Secrets = TestSecrets.Webhooks(database.DataSource);
    }

    public const string Api = "https://darkroom.example";

    public NpgsqlDataSource Database => _database.DataSource;
    public TestDatabase TestDatabase => _database;
    public OwnerId Owner { get; }
    public string Secret { get; }
    public WebhookLog Log { get; }
    public WebhookSecrets Secrets { get; }

    public static async Task<WebhookScenario> CreateAsync()
    {
        var database = await TestDatabase.CreateAsync();
        var (owner, secret) = await TestSecrets.Owners(database.DataSource).FindOrCreateAsync("acme", default);
        return new WebhookScenario(database, owner, secret!);
    }

    /// <summary>A worker that only sends webhooks. Loopback receivers are allowed unless a test says otherwise.</summary>
    public async Task<IHost> StartWorkerAsync(params (string Name, string Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection([new("Egress:AllowLoopback", "true")]);
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value)));
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(Database);
        builder.Services.AddSingleton(new Random(Seed: 1));
        // Names resolve locally: tests use no DNS.
        builder.Services.AddSingleton<INameResolver, NoNames>();
        builder.Services.AddProcessLease("worker");
        builder.AddWebhooks();
        var worker = builder.Build();
        await worker.StartAsync();
        _workers.Add(worker);
        return worker;
    }

    /// <summary>A request whose run has just ended, with its webhooks inserted in the same transaction. Some of its images failed.</summary>
    public async Task<RequestId> EndRunAsync(
        string? url,
        string status = "completed",
        int images = 1,
        int failed = 0,
        IReadOnlyList<WebhookRegistration>? registrations = null,
        OwnerId? owner = null,
        WebhookOptions? options = null)
    {
        var request = await new RequestBuilder(Database).OwnedBy(owner ?? Owner).WithImages(images).BuildAsync();
        var outbox = await CreateOutboxAsync(options);
        await using var connection = await Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var finished = status is "completed" or "completed_with_errors";
        await connection.Sql(
                """
                update images
                set state = 'failed', error_code = 'http_404', error_message = 'The server answered 404.', revision = 2, finished_at = now()
                where request_id = @id and row <= @failed;

                update images
                set state = 'succeeded', output_key = 'requests/' || request_id || '/images/' || row || '.jpg', output_bytes = 400, output_sha256 = '\x02',
                    revision = 2, finished_at = now()
                where request_id = @id and row > @failed and @finished;

                update csv_data_table
                set status = @status::status_enum,
                    processing_percentage = case when @finished then 100 else 50 end,
                    images_failed = @failed,
                    images_succeeded = case when @finished then no_of_images - @failed else 0 end,
                    fan_out_open = false,
                    bytes_in = 1000, bytes_out = 400,
                    output_path = case when @finished then 'requests/' || id || '/output.csv' end,
                    output_run = case when @finished then run end,
                    error_code = case when @status = 'failed' then 'workflow_faulted' end,
                    error_message = case when @status = 'failed' then 'The workflow failed.' end,
                    webhook_url = @url,
                    finished_at = now()
                where id = @id
                """)
            .With("id", request.Id.Value)
            .With("status", status)
            .With("failed", failed)
            .With("finished", finished)
            .With("url", NpgsqlTypes.NpgsqlDbType.Text, url)
            .ExecuteNonQueryAsync();
        await InsertAsync(outbox, connection, owner ?? Owner, request.Id, registrations ?? []);
        await transaction.CommitAsync();
        return request.Id;
    }

    /// <summary>Inserts a request's deliveries. Returns how many.</summary>
    public static async Task<int> InsertAsync(
        WebhookOutbox outbox, NpgsqlConnection connection, OwnerId owner, RequestId request, params IReadOnlyList<WebhookRegistration> registrations)
    {
        var ended = await RequestStore.FindAsync(connection, owner, request, default);
        await using var writes = new NpgsqlBatch(connection);
        await outbox.InsertAsync(writes, ended!, registrations, default);
        return writes.BatchCommands.Count == 0 ? 0 : await writes.ExecuteNonQueryAsync();
    }

    public async Task<WebhookOutbox> CreateOutboxAsync(WebhookOptions? options = null)
    {
        var link = Options.Create(new LinkOptions { BaseUrl = Api + "/" });
        var links = new ImageLinks(new InstallationSecrets(Database, TestSecrets.Protector(Database)), S3ConnectionString.Parse("Endpoint=http://127.0.0.1:1;Bucket=b"), link);
        await links.StartAsync(default);
        return new WebhookOutbox(links, link, Options.Create(options ?? new WebhookOptions()));
    }

    public async Task<WebhookDelivery> DeliveryAsync(RequestId request) => Assert.Single(await Log.ListAsync(Owner, request, default));

    /// <summary>Waits until the request's delivery satisfies the condition.</summary>
    public Task<WebhookDelivery> DeliveryAsync(RequestId request, Func<WebhookDelivery, bool> satisfies, string claim) =>
        Eventually.GetAsync(() => DeliveryAsync(request), satisfies, claim);

    public async Task ExecuteAsync(string sql) => await Database.Sql(sql).ExecuteNonQueryAsync();

    /// <summary>Makes all pending deliveries due now.</summary>
    public Task SkipWaitAsync() => ExecuteAsync(
        "update webhook_deliveries set next_attempt_at = now() where state = 'pending' and owner is null; notify darkroom_webhooks");

    public async ValueTask DisposeAsync()
    {
        foreach (var worker in _workers)
        {
            await worker.StopAsync();
            worker.Dispose();
        }

        await _database.DisposeAsync();
    }

    private sealed class NoNames : INameResolver
    {
        public Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken) =>
            host.EndsWith(".loopback.test", StringComparison.Ordinal)
                ? Task.FromResult<IPAddress[]>([IPAddress.Loopback])
                : Task.FromResult<IPAddress[]>([]);
    }
}
