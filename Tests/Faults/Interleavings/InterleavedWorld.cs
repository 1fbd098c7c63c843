using System.Collections.Concurrent;
using Darkroom.Bookmarks;
using Darkroom.Data;
using Darkroom.Engine.Bodies;
using Darkroom.Engine.Flow;
using Darkroom.Queue;
using Darkroom.Requests;
using Darkroom.Runs;
using Darkroom.Storage;
using Darkroom.Tests.Infrastructure;
using Darkroom.Tests.Queue;
using Darkroom.Webhooks;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Tests.Faults.Interleavings;

/// <summary>
/// Three workers, maintenance, the engine and the API on one database and one queue, each behind a relay of its own. For every seed they
/// process one request; what each does, and in which order their statements run, depends on the seed.
/// </summary>
internal sealed class InterleavedWorld : IAsyncDisposable
{
    private const int Workers = 3;
    private const int Images = 4;

    private readonly QueueRig _rig;
    private readonly RunFinalizer _ending;
    private readonly List<PostgresRelay> _relays = [];
    private readonly List<NpgsqlDataSource> _sources = [];
    private readonly List<QueueWorker> _workers = [];
    private readonly ConcurrentDictionary<string, int> _done = new();
    private StatementScheduler? _scheduler;

    private InterleavedWorld(QueueRig rig)
    {
        _rig = rig;
        // Nobody registers a webhook here, so no link is ever made.
        var link = Options.Create(new LinkOptions { BaseUrl = "http://localhost" });
        var secrets = new InstallationSecrets(rig.Database.DataSource, TestSecrets.Protector(rig.Database.DataSource));
        _ending = new RunFinalizer(new WebhookOutbox(
            new ImageLinks(secrets, S3ConnectionString.Parse("Region=us-east-1;Bucket=none"), link), link, Options.Create(new WebhookOptions())));
    }

    public IEnumerable<string> Trace => _scheduler?.Trace ?? [];

    /// <summary>How often each action had an effect.</summary>
    public string Summary => string.Join(", ", _done.OrderBy(action => action.Key).Select(action => $"{action.Key} {action.Value}"));

    public static async Task<InterleavedWorld> StartAsync()
    {
        var world = new InterleavedWorld(await QueueRig.StartAsync());
        for (var actor = 0; actor < Workers + 3; actor++)
        {
            var relay = new PostgresRelay(world._rig.Database.ConnectionString);
            world._relays.Add(relay);
            world._sources.Add(NpgsqlDataSource.Create(relay.ConnectionString));
        }

        for (var worker = 0; worker <= Workers; worker++)
            world._workers.Add(await world._rig.WorkerAsync(
                new QueueOptions { RecordLinger = TimeSpan.Zero, StaleOffer = TimeSpan.FromMilliseconds(1) }, world._sources[worker]));
        return world;
    }

    /// <summary>Processes one request in the order of the seed and checks it. Returns the number of statements.</summary>
    public async Task<int> RunAsync(int seed)
    {
        var request = await _rig.Request().WithImages(Images).BuildAsync();
        await _rig.Database.DataSource.Sql("update workflow_instances set state = @state where id = @id")
            .With("state", NpgsqlDbType.Jsonb, WorkflowState.New.ToJson())
            .With("id", request.Instance)
            .ExecuteNonQueryAsync();
        var watch = new InvariantWatch(_rig.Database.DataSource, request.Id.Value);
        var claims = new ConcurrentDictionary<(long, long), bool>();
        _scheduler = new StatementScheduler(new Random(seed));
        for (var worker = 0; worker < Workers; worker++)
        {
            var (at, random) = (worker, new Random((seed * 31) + worker));
            _scheduler.Add($"worker {at}", _relays[at], () => WorkAsync(_workers[at], random, claims));
        }

        var (maintenance, engine, api) = (new Random(seed * 37), new Random(seed * 41), new Random(seed * 43));
        _scheduler.Add("maintenance", _relays[Workers], () => MaintainAsync(maintenance));
        _scheduler.Add("engine", _relays[Workers + 1], () => RunEngineAsync(_sources[Workers + 1], request, engine));
        _scheduler.Add("owner", _relays[Workers + 2], () => InterveneAsync(_sources[Workers + 2], request, api));

        await _scheduler.RunAsync(watch.CheckAsync);
        await FinishAsync(request, watch);
        return _scheduler.Steps;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var source in _sources)
            await source.DisposeAsync();
        await _rig.DisposeAsync();
        foreach (var relay in _relays)
            await relay.DisposeAsync();
    }

    /// <summary>Claims images and records what became of them: soon, late, twice, never, or as retried or failed.</summary>
    private async Task WorkAsync(QueueWorker worker, Random random, ConcurrentDictionary<(long, long), bool> claims)
    {
        var inHand = new List<ClaimedImage>();
        for (var action = 0; action < 14; action++)
        {
            switch (random.Next(10))
            {
                case 0 or 1:
                    await worker.Feeder.FeedAsync(CancellationToken.None);
                    break;
                case 2 or 3 or 4:
                    foreach (var image in await worker.Claimer.ClaimAsync(random.Next(1, 4), CancellationToken.None))
                    {
                        Assert.True(claims.TryAdd((image.Id.Value, image.Fence), true), $"Image {image.Id} was claimed twice under fence {image.Fence}");
                        inHand.Add(image);
                        Count("claimed");
                    }

                    break;
                case 5 or 6 or 7 or 8 when inHand.Count > 0:
                    var taken = inHand[random.Next(inHand.Count)];
                    // One in four is recorded again later, as after a lost answer.
                    if (random.Next(4) > 0)
                        inHand.Remove(taken);
                    Count(await worker.Recorder.RecordAsync(Outcome(taken, random), CancellationToken.None) == RecordResult.Recorded ? "recorded" : "superseded");
                    break;
                case 9 when inHand.Count > 0:
                    await worker.Claimer.HandBackAsync([inHand[0]], CancellationToken.None);
                    inHand.RemoveAt(0);
                    Count("handed back");
                    break;
            }
        }
    }

    private static ImageOutcome Outcome(ClaimedImage image, Random random) => random.Next(5) switch
    {
        0 => Outcomes.Failure(image),
        1 => new ImageOutcome.RetryAt(image, TimeSpan.Zero) { Code = "timeout" },
        _ => Outcomes.Success(image),
    };

    /// <summary>Kills and revives workers, rescues, and pushes again what Redis forgot.</summary>
    private async Task MaintainAsync(Random random)
    {
        for (var action = 0; action < 6; action++)
        {
            var worker = _workers[random.Next(Workers)];
            switch (random.Next(4))
            {
                case 0:
                    await HeartbeatAsync(worker, "now() - interval '1 hour'");
                    Count("killed");
                    break;
                case 1:
                    await HeartbeatAsync(worker, "now() + interval '1 hour'");
                    break;
                default:
                    var done = await _workers[Workers].MaintainAsync();
                    _done.AddOrUpdate("rescued", done.Freed, (_, count) => count + done.Freed);
                    break;
            }
        }
    }

    private Task<int> HeartbeatAsync(QueueWorker worker, string when) =>
        _sources[Workers].Sql(
                $"""
                insert into processes (id, kind, host, pid, heartbeat_at)
                values (@id, 'worker', 'test', 1, {when})
                on conflict (id) do update
                set heartbeat_at = excluded.heartbeat_at
                """)
            .With("id", worker.Process.Id)
            .ExecuteNonQueryAsync();

    /// <summary>What the engine does: opens the fan-out of a new run, and ends a run whose last image has ended. True if it ended.</summary>
    private async Task<bool> AdvanceAsync(NpgsqlDataSource database, RequestId request)
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var run = await LockAsync(connection, request);
        var ends = run is not null && await IsResumedAsync(connection, run.Instance);
        if (ends)
            await EndAsync(connection, request, run!);
        else if (run is { HasBookmark: false })
            await OpenAsync(connection, request, run);
        await transaction.CommitAsync();
        return ends;
    }

    /// <summary>Advances the run while others work on it. When it has ended, its owner retries it sooner or later.</summary>
    private async Task RunEngineAsync(NpgsqlDataSource database, BuiltRequest request, Random random)
    {
        var hasEnded = false;
        for (var action = 0; action < 16; action++)
        {
            if (!hasEnded)
                hasEnded = await AdvanceAsync(database, request.Id);
            else if (random.Next(2) == 0 && await RetryAsync(database, request))
                hasEnded = false;
        }
    }

    private async Task<bool> RetryAsync(NpgsqlDataSource database, BuiltRequest request)
    {
        var result = await new RequestLifecycle(database, _ending, _rig.Metrics.Metrics).RetryAsync(request.Owner, request.Id, CancellationToken.None);
        Count($"retry {result}");
        return result == LifecycleResult.Done;
    }

    private static async Task<OpenRun?> LockAsync(NpgsqlConnection connection, RequestId request)
    {
        await connection.Sql("select 1 from csv_data_table where id = @request for no key update").With("request", request.Value).ExecuteNonQueryAsync();
        await using var command = connection.Sql(
                """
                select i.id, i.run, exists (select from bookmarks b where b.instance_id = i.id)
                from workflow_instances i
                join csv_data_table r on r.id = i.request_id and r.run = i.run
                where r.id = @request
                  and i.status = 'Running'
                  and r.status = 'processing'
                for no key update of i
                """)
            .With("request", request.Value);
        await using var reader = await command.ExecuteReaderAsync();
        return await reader.ReadAsync() ? new OpenRun(reader.GetGuid(0), reader.GetInt32(1), reader.GetBoolean(2)) : null;
    }

    private static async Task<bool> IsResumedAsync(NpgsqlConnection connection, Guid instance) =>
        await connection.Sql("select true from resumptions where instance_id = @id").With("id", instance).ExecuteScalarAsync() is true;

    private async Task EndAsync(NpgsqlConnection connection, RequestId request, OpenRun run)
    {
        await RequestUpdates.PublishOutputAsync(connection, request, run.Run, ObjectKeys.Output(request, run.Run, 1), CancellationToken.None);
        await connection.Sql(
                """
                update workflow_instances
                set status = 'Finished', sub_status = 'Finished', ready_at = null, finished_at = now()
                where id = @id;

                delete from bookmarks
                where instance_id = @id
                """)
            .With("id", run.Instance)
            .ExecuteNonQueryAsync();
        await using var writes = new NpgsqlBatch(connection);
        await _ending.EndAsync(writes, request, run.Run, "Finished", WorkflowState.New, CancellationToken.None);
        if (writes.BatchCommands.Count > 0)
            await writes.ExecuteNonQueryAsync();
        Count("ended");
    }

    private async Task OpenAsync(NpgsqlConnection connection, RequestId request, OpenRun run)
    {
        if ((await FanOut.OpenAsync(connection, request, run.Run)).Pending == 0)
            return;
        await connection.Sql(
                $$"""
                insert into bookmarks (id, instance_id, activity_id, name, payload)
                values (gen_random_uuid(), @instance, 'FanOut', '{{FanOutBookmark.Name}}', '{}')
                """)
            .With("instance", run.Instance)
            .ExecuteNonQueryAsync();
        Count("opened again");
    }

    /// <summary>The owner retries, and one in four cancels at some moment.</summary>
    private async Task InterveneAsync(NpgsqlDataSource database, BuiltRequest request, Random random)
    {
        var lifecycle = new RequestLifecycle(database, _ending, _rig.Metrics.Metrics);
        var cancels = random.Next(4) == 0;
        for (var action = 0; action < 6; action++)
        {
            if (cancels && action == 5)
                Count($"cancel {await lifecycle.CancelAsync(request.Owner, request.Id, CancellationToken.None)}");
            else
                await RetryAsync(database, request);
        }
    }

    /// <summary>With everybody dead but one worker, the request still ends.</summary>
    private async Task FinishAsync(BuiltRequest request, InvariantWatch watch)
    {
        foreach (var worker in _workers.Take(Workers))
            await HeartbeatAsync(worker, "now() - interval '1 hour'");
        var last = _workers[Workers];
        for (var round = 0; round < 200; round++)
        {
            var status = await _rig.ReadAsync<string>($"select status::text from csv_data_table where id = '{request.Id}'");
            if (status is "completed" or "completed_with_errors" or "cancelled" or "failed")
                break;
            await AdvanceAsync(_sources[Workers + 1], request.Id);
            await last.MaintainAsync();
            await last.Feeder.FeedAsync(CancellationToken.None);
            foreach (var image in await last.Claimer.ClaimAsync(Images, CancellationToken.None))
                await last.Recorder.RecordAsync(Outcomes.Success(image), CancellationToken.None);
            await watch.CheckAsync();
        }

        await watch.CheckAsync();
        Assert.Contains(
            await _rig.ReadAsync<string>($"select status::text from csv_data_table where id = '{request.Id}'"),
            (string[])["completed", "completed_with_errors", "cancelled"]);
        // The next seed's workers are alive again, and hold nothing.
        foreach (var worker in _workers.Take(Workers))
            await HeartbeatAsync(worker, "now() + interval '1 hour'");
        await _rig.SqlAsync($"update images set state = 'waiting', owner = null where request_id = '{request.Id}' and state = 'running'");
    }

    private void Count(string action) => _done.AddOrUpdate(action, 1, (_, count) => count + 1);

    private sealed record OpenRun(Guid Instance, int Run, bool HasBookmark);
}
