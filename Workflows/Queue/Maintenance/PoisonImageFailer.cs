using Darkroom.Data;
using Darkroom.Engine.Bodies;
using Darkroom.Leases;
using Darkroom.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Queue.Maintenance;

/// <summary>Takes over images that crashed their process too often, and records them as failed through the usual path.</summary>
public sealed partial class PoisonImageFailer(
    NpgsqlDataSource database,
    ImageRecorder recorder,
    HeldClaims held,
    ProcessLease process,
    DarkroomMetrics metrics,
    TimeProvider time,
    IOptions<ProcessLeaseOptions> lease,
    IOptions<QueueOptions> options,
    ILogger<PoisonImageFailer> logger) : PeriodicService(time, logger)
{
    private const string IsPoisonous =
        $"i.state = 'running' and {ProcessLeaseSql.IsDead} and i.exclusive and i.exclusive_crashes + 1 >= @exclusive_crashes";

    protected override TimeSpan Period => lease.Value.Scan;

    protected override Task RunOnceAsync(CancellationToken cancellationToken) => FailAsync(cancellationToken);

    /// <summary>Returns how many images failed.</summary>
    public async Task<int> FailAsync(CancellationToken cancellationToken)
    {
        var poisonous = await TakeOverAsync(cancellationToken);
        foreach (var image in poisonous)
            LogPoisonImage(image.RequestId, image.Row, image.Position);
        await Task.WhenAll(poisonous.Select(image => recorder.RecordAsync(
            new ImageOutcome.Failed(
                image, QueueFailureCodes.DecoderCrashed, "The decoder crashed every time it processed this image."),
            cancellationToken)));
        metrics.ClaimsRecovered(ClaimKind.Image, poisonous.Count);
        return poisonous.Count;
    }

    private async Task<List<ClaimedImage>> TakeOverAsync(CancellationToken cancellationToken)
    {
        var found = await FindAsync(cancellationToken);
        if (found.Count == 0)
            return [];
        // Before the take-over: LostClaimReturner hands back rows that name this process but are not tracked.
        held.Expect(found);
        try
        {
            return await TakeOverAsync(found, cancellationToken);
        }
        finally
        {
            held.Unexpect(found);
        }
    }

    private async Task<List<ImageId>> FindAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                $"""
                select i.id
                from images i
                join processes p on p.id = i.owner
                where {IsPoisonous}
                """)
            .With("lease", lease.Value.Duration)
            .With("exclusive_crashes", options.Value.MaxExclusiveCrashes);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var found = new List<ImageId>();
        while (await reader.ReadAsync(cancellationToken))
            found.Add(new ImageId(reader.GetInt64(0)));
        return found;
    }

    private async Task<List<ClaimedImage>> TakeOverAsync(IReadOnlyList<ImageId> found, CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                $"""
                with poisonous as (
                  select i.id, r.owner_id
                  from images i
                  join processes p on p.id = i.owner
                  join csv_data_table r on r.id = i.request_id
                  where i.id = any(@ids)
                    and {IsPoisonous}
                  for update of i skip locked
                )
                update images i
                set owner = @owner,
                    fence = i.fence + 1,
                    exclusive = false,
                    suspect = true,
                    exclusive_crashes = i.exclusive_crashes + 1
                from poisonous p
                where i.id = p.id
                returning i.id, i.request_id, i.run, i.fence, i.row, i.position, i.url, i.attempts, i.suspect, i.preemptions, p.owner_id
                """)
            .With("ids", found.Select(image => image.Value).ToArray())
            .With("lease", lease.Value.Duration)
            .With("exclusive_crashes", options.Value.MaxExclusiveCrashes)
            .With("owner", process.Id);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var taken = new List<ClaimedImage>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var image = ImageClaimer.ReadClaimed(reader);
            held.Add(image);
            taken.Add(image);
        }

        return taken;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Image {Row}-{Position} of request {Request} crashed its process every time it ran alone; recording it as failed")]
    private partial void LogPoisonImage(RequestId request, int row, int position);
}
