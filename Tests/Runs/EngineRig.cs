using Darkroom.Data;
using Darkroom.Engine;
using Darkroom.Engine.Definitions;
using Darkroom.Leases;
using Darkroom.Runs;
using Darkroom.Storage;
using Darkroom.Tests.Engine;
using Darkroom.Tests.Infrastructure;
using Darkroom.Webhooks;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace Darkroom.Tests.Runs;

/// <summary>The engine on a real database, with a test's own activities, in as many "processes" as it needs.</summary>
internal sealed class EngineRig : IAsyncDisposable
{
    private readonly ActivityCatalog _catalog;
    private readonly List<ProcessLease> _processes = [];

    private EngineRig(TestDatabase database, IEnumerable<ActivityRegistration> activities)
    {
        Database = database;
        _catalog = new ActivityCatalog(activities);
    }

    public TestDatabase Database { get; }
    public RecordedMetrics Metrics { get; } = new();
    public EngineOptions Options { get; } = new() { FirstRetryDelay = TimeSpan.FromSeconds(0.01), ActivityAttempts = 3 };
    public ProcessLeaseOptions Lease { get; } = new() { Duration = TimeSpan.FromSeconds(2), Heartbeat = TimeSpan.FromSeconds(0.5) };

    public static async Task<EngineRig> StartAsync(params ScriptedActivity[] activities) => new(await TestDatabase.CreateAsync(), activities.Select(activity => activity.Registration));

    public static async Task<EngineRig> StartAsync(IEnumerable<ActivityRegistration> activities) => new(await TestDatabase.CreateAsync(), activities);

    /// <summary>A request whose instance runs this definition.</summary>
    public async Task<RequestId> RequestAsync(WorkflowJson json)
    {
        var id = Guid.NewGuid().ToString("N");
        var options = Microsoft.Extensions.Options.Options.Create(Options);
        var definitions = new DefinitionStore(Database.DataSource, new DefinitionValidator(_catalog, options), options);
        await definitions.SeedAsync(id + "-1", id, 1, WorkflowDocument.Parse(json.Build()), default);
        var definition = (await definitions.FindAsync(id, VersionOptions.Published, default))!;
        var request = new RequestId(Guid.NewGuid());
        await using var connection = await Database.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.Sql(
                """
                with owner as (
                  insert into owners (name) values (@id::text) returning id
                )
                insert into csv_data_table (
                  id, csv_path, no_of_products, no_of_images, owner_id, csv_bytes, csv_sha256, dialect, workflow_definition_id, workflow_version_id)
                select @id, 'input.csv', 1, 1, owner.id, 1, '\x00', '{}', @definition, @version
                from owner
                """)
            .With("id", request.Value)
            .With("definition", definition.Summary.DefinitionId)
            .With("version", definition.Summary.Id)
            .ExecuteNonQueryAsync();
        await using var batch = new NpgsqlBatch(connection);
        WorkflowInstanceStore.Insert(batch, request, 1, definition);
        await batch.ExecuteNonQueryAsync();
        await transaction.CommitAsync();
        return request;
    }

    /// <summary>A process whose heartbeat stands still: it stays alive for the length of any test, unless it is declared dead.</summary>
    public async Task<EngineProcess> ProcessAsync()
    {
        var leaseOptions = Microsoft.Extensions.Options.Options.Create(Lease);
        var process = new ProcessLease(
            Database.DataSource, new ProcessKind("test"), new FakeTimeProvider(), leaseOptions, NullLogger<ProcessLease>.Instance);
        await process.StartAsync(default);
        await Database.DataSource.Sql(
                "update processes set heartbeat_at = now() + interval '1 hour', beating_since = now() - interval '1 hour' where id = @id")
            .With("id", process.Id)
            .ExecuteNonQueryAsync();
        _processes.Add(process);
        var instances = new WorkflowInstanceStore(Database.DataSource, process, Metrics.Metrics, leaseOptions, Microsoft.Extensions.Options.Options.Create(Options));
        var compiler = new WorkflowCompiler(Database.DataSource, _catalog);
        var runner = new WorkflowRunner(
            instances, compiler, Ending(), TimeProvider.System, new Random(1), Metrics.Metrics,
            Microsoft.Extensions.Options.Options.Create(Options), NullLogger<WorkflowRunner>.Instance);
        return new EngineProcess(process, instances, runner);
    }

    /// <summary>Simulates a crash: a process whose heartbeat is long past.</summary>
    public async Task DeclareDeadAsync(EngineProcess process)
    {
        await Database.DataSource.Sql("update processes set heartbeat_at = now() - interval '10 years' where id = @id")
            .With("id", process.Lease.Id)
            .ExecuteNonQueryAsync();
    }

    public async Task<(string Status, string? ErrorCode)> StatusAsync(RequestId request)
    {
        await using var command = Database.DataSource.Sql("select status::text, error_code from csv_data_table where id = @id").With("id", request.Value);
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return (reader.GetString(0), reader.IsDBNull(1) ? null : reader.GetString(1));
    }

    /// <summary>The only request's error message, as its owner sees it.</summary>
    public async Task<string> ErrorMessageAsync() => (string)(await Database.DataSource.Sql("select error_message from csv_data_table").ExecuteScalarAsync())!;

    /// <summary>Makes everything due that waits for a time.</summary>
    public async Task SkipDelaysAsync() => await Database.DataSource.Sql(
            """
            update bookmarks set due_at = now() - interval '1 second';
            update workflow_instances set ready_at = now() - interval '1 second' where status = 'Running'
            """)
        .ExecuteNonQueryAsync();

    /// <summary>The journal: each execution as <c>activity status</c>, in sequence.</summary>
    public async Task<IReadOnlyList<string>> JournalAsync()
    {
        var journal = new List<string>();
        await using var command = Database.DataSource.Sql("select activity_id || ' ' || status from activity_executions order by sequence");
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            journal.Add(reader.GetString(0));
        return journal;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            await process.StopAsync(default);
            process.Dispose();
        }

        Metrics.Dispose();
        await Database.DisposeAsync();
    }

    private RunFinalizer Ending()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddSingleton(Database.DataSource);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(Microsoft.Extensions.Options.Options.Create(new LinkOptions { BaseUrl = "http://localhost" }));
        services.AddSingleton(S3ConnectionString.Parse("Region=us-east-1;Bucket=test"));
        services.AddInstallationSecrets();
        services.AddSingleton<ImageLinks>();
        services.AddWebhookOutbox();
        return new RunFinalizer(services.BuildServiceProvider().GetRequiredService<WebhookOutbox>());
    }
}

/// <summary>A process that claims and runs instances.</summary>
internal sealed record EngineProcess(ProcessLease Lease, WorkflowInstanceStore Instances, WorkflowRunner Runner)
{
    /// <summary>Frees what the dead have claimed, then claims and runs instances until none is ready.</summary>
    public async Task RunAllAsync(CancellationToken cancellationToken = default)
    {
        await Instances.FreeAbandonedAsync(cancellationToken);
        while (await Instances.ClaimNextAsync(cancellationToken) is { } instance)
            await Runner.RunAsync(instance, cancellationToken);
    }
}
