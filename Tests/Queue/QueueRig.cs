using Darkroom.Data;
using Darkroom.Engine.Bodies;
using Darkroom.Leases;
using Darkroom.Queue;
using Darkroom.Queue.Maintenance;
using Darkroom.Requests;
using Darkroom.Tests.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace Darkroom.Tests.Queue;

/// <summary>A database, a Redis, and any number of workers on them.</summary>
internal sealed class QueueRig : IAsyncDisposable
{
    private readonly List<QueueWorker> _workers = [];

    private QueueRig(TestDatabase database, TestRedis redis) => (Database, Redis) = (database, redis);

    public TestDatabase Database { get; }
    public TestRedis Redis { get; }
    public RecordedMetrics Metrics { get; } = new();
    public ProcessLeaseOptions Lease { get; } = new() { Duration = TimeSpan.FromSeconds(2), Heartbeat = TimeSpan.FromSeconds(0.5), Scan = TimeSpan.FromSeconds(1) };

    public static async Task<QueueRig> StartAsync() => new(await TestDatabase.CreateAsync(), await TestRedis.StartAsync());

    public RequestBuilder Request() => new(Database.DataSource);

    /// <summary>A worker with a valid lease but no heartbeat: it stays alive unless a test kills it.</summary>
    public async Task<QueueWorker> WorkerAsync(QueueOptions? options = null, NpgsqlDataSource? database = null)
    {
        var worker = await QueueWorker.StartAsync(this, options ?? new QueueOptions(), database ?? Database.DataSource);
        _workers.Add(worker);
        return worker;
    }

    /// <summary>Makes a worker look killed to the others: its heartbeat is old.</summary>
    public Task KillAsync(QueueWorker worker) =>
        SqlAsync($"update processes set heartbeat_at = now() - interval '1 hour' where id = '{worker.Process.Id}'");

    public async Task<int> SqlAsync(string sql)
    {
        await using var command = Database.DataSource.Sql(sql);
        return await command.ExecuteNonQueryAsync();
    }

    public async Task<T> ReadAsync<T>(string sql)
    {
        await using var command = Database.DataSource.Sql(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public Task<string> ImageStateAsync(ImageId image) => ReadAsync<string>($"select state::text from images where id = {image.Value}");

    public Task<long> CountAsync(RequestId request, string state) =>
        ReadAsync<long>($"select count(*) from images where request_id = '{request}' and state = '{state}'");

    /// <summary>Succeeded, failed, percentage and revision of a request.</summary>
    public async Task<(int Succeeded, int Failed, int Percentage, long Revision)> CountersAsync(RequestId request)
    {
        await using var command = Database.DataSource.Sql(
            $"select images_succeeded, images_failed, processing_percentage, revision from csv_data_table where id = '{request}'");
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return (reader.GetInt32(0), reader.GetInt32(1), reader.GetInt32(2), reader.GetInt64(3));
    }

    public Task<long> ResumptionsAsync(BuiltRequest request) =>
        ReadAsync<long>($"select count(*) from resumptions where bookmark_id = '{request.Bookmark}' and instance_id = '{request.Instance}'");

    public async ValueTask DisposeAsync()
    {
        foreach (var worker in _workers)
            await worker.DisposeAsync();
        Metrics.Dispose();
        await Redis.DisposeAsync();
        await Database.DisposeAsync();
    }
}

/// <summary>The queue's parts as one worker process has them.</summary>
internal sealed class QueueWorker : IAsyncDisposable
{
    private QueueWorker(
        ProcessLease process, HeldClaims held, ImageQueue queue, ImageFeeder feeder, ImageClaimer claimer, ImageRecorder recorder)
    {
        Process = process;
        Held = held;
        Queue = queue;
        Feeder = feeder;
        Claimer = claimer;
        Recorder = recorder;
    }

    public ProcessLease Process { get; }
    public HeldClaims Held { get; }
    public ImageQueue Queue { get; }
    public ImageFeeder Feeder { get; }
    public ImageClaimer Claimer { get; }
    public ImageRecorder Recorder { get; }
    public required QueueSampler Sampler { get; init; }
    public required LeaseRescuer Rescuer { get; init; }
    public required DeadProcessCleaner Cleaner { get; init; }
    public required LostClaimReturner Returner { get; init; }
    public required QueueRefiller Refiller { get; init; }
    public required StaleOfferPusher Pusher { get; init; }

    public static async Task<QueueWorker> StartAsync(QueueRig rig, QueueOptions queueOptions, NpgsqlDataSource database)
    {
        var options = Options.Create(queueOptions);
        var lease = Options.Create(rig.Lease);
        var process = new ProcessLease(
            database, new ProcessKind("worker"), new FakeTimeProvider(), lease, NullLogger<ProcessLease>.Instance);
        await process.StartAsync(default);
        // Keeps the worker alive for longer than any test runs, unless it is killed, and lets it witness the death of others.
        await rig.SqlAsync(
            $"update processes set heartbeat_at = now() + interval '1 hour', beating_since = now() - interval '1 hour' where id = '{process.Id}'");
        var held = new HeldClaims();
        var queue = new ImageQueue(await rig.Redis.ConnectAsync(), TimeProvider.System, options, NullLogger<ImageQueue>.Instance);
        var claimer = new ImageClaimer(database, queue, held, process, rig.Metrics.Metrics, NullLogger<ImageClaimer>.Instance);
        var recorder = new ImageRecorder(database, held, TimeProvider.System, rig.Metrics.Metrics, options, NullLogger<ImageRecorder>.Instance);
        var time = TimeProvider.System;
        var offers = new OfferRepeater(database, queue, options);
        return new QueueWorker(
            process, held, queue,
            new ImageFeeder(database, queue, options, NullLogger<ImageFeeder>.Instance),
            claimer, recorder)
        {
            Sampler = new QueueSampler(database, rig.Metrics.Metrics, time, lease, NullLogger<QueueSampler>.Instance),
            Rescuer = new LeaseRescuer(database, offers, rig.Metrics.Metrics, time, lease, NullLogger<LeaseRescuer>.Instance),
            Cleaner = new DeadProcessCleaner(database, time, lease, NullLogger<DeadProcessCleaner>.Instance),
            Returner = new LostClaimReturner(database, claimer, held, process, rig.Metrics.Metrics, time, lease, NullLogger<LostClaimReturner>.Instance),
            Refiller = new QueueRefiller(queue, offers, time, lease, NullLogger<QueueRefiller>.Instance),
            Pusher = new StaleOfferPusher(database, queue, time, lease, options, NullLogger<StaleOfferPusher>.Instance),
        };
    }

    /// <summary>Runs each maintenance task once.</summary>
    public async Task<MaintenanceResult> MaintainAsync()
    {
        var freed = await Rescuer.RescueAsync(default);
        await Cleaner.CleanAsync(default);
        var handedBack = await Returner.ReturnLostAsync(default);
        var rebuilt = await Refiller.RefillAsync(default);
        return new MaintenanceResult(freed, handedBack, await Pusher.PushAsync(default), rebuilt);
    }

    /// <summary>Offers and claims until <paramref name="count"/> images are running here.</summary>
    public async Task<IReadOnlyList<ClaimedImage>> ClaimAsync(int count)
    {
        var claimed = new List<ClaimedImage>();
        while (claimed.Count < count)
        {
            var fed = await Feeder.FeedAsync(default);
            var more = await Claimer.ClaimAsync(count - claimed.Count, default);
            claimed.AddRange(more);
            if (more.Count == 0 && fed.Offered == 0)
                throw new InvalidOperationException($"Only {claimed.Count} of {count} images could be claimed.");
        }

        return claimed;
    }

    public async ValueTask DisposeAsync()
    {
        await Recorder.DisposeAsync();
        Process.Dispose();
    }
}

/// <summary>How many images each maintenance task changed or pushed again.</summary>
internal readonly record struct MaintenanceResult(int Freed, int HandedBack, int Reoffered, int Rebuilt);

/// <summary>Outcomes with made-up objects.</summary>
internal static class Outcomes
{
    public static ImageOutcome.Succeeded Success(ClaimedImage image) => new(image, Object(image, 1_000), Object(image, 400));

    public static ImageOutcome.Failed Failure(ClaimedImage image, string message = "It is gone.") => new(image, "not_found", message);

    public static ImageObject Object(ClaimedImage image, long bytes) =>
        new($"requests/{image.RequestId}/images/{image.Row}-{image.Position}-{bytes}.jpg", "image/jpeg", bytes, 10, 10, new byte[32]);
}
