using Darkroom.Data;
using Darkroom.Engine.Bodies;
using Darkroom.Leases;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using StackExchange.Redis;

namespace Darkroom.Queue;

/// <summary>What a reconciler pass put right.</summary>
/// <param name="Freed">Images of dead or departed processes that wait again.</param>
/// <param name="Crashed">Images that killed their process too often, recorded as failed.</param>
/// <param name="HandedBack">Images that were marked as this process' own and are not: a claim's answer was lost, or their request has ended.</param>
/// <param name="Reoffered">Offers pushed again because nobody claimed them.</param>
/// <param name="Rebuilt">Offers pushed again because Redis had lost its memory.</param>
public readonly record struct ReconcileResult(int Freed, int Crashed, int HandedBack, int Reoffered, int Rebuilt);

/// <summary>
/// Puts right what crashes leave behind: images whose process died, offers that Redis forgot, claims that nobody holds. Every
/// worker runs one; each step is safe beside the same step elsewhere.
/// </summary>
public sealed partial class ImageReconciler(
    NpgsqlDataSource database,
    ImageQueue queue,
    ImageClaimer claimer,
    ImageRecorder recorder,
    HeldClaims held,
    ProcessLease process,
    IOptions<ProcessLeaseOptions> lease,
    IOptions<QueueOptions> options,
    ILogger<ImageReconciler> logger)
{
    private static readonly TimeSpan RebuildAtMost = TimeSpan.FromSeconds(30);

    public async Task<ReconcileResult> ReconcileAsync(CancellationToken cancellationToken)
    {
        var crashed = await FailPoisonImagesAsync(cancellationToken);
        var freed = await FreeOrphansAsync(cancellationToken);
        await SweepProcessesAsync(cancellationToken);
        var handedBack = await HandBackUnaccountedAsync(cancellationToken);
        try
        {
            var rebuilt = await RebuildAsync(cancellationToken);
            var reoffered = await ReofferAsync(cancellationToken);
            return new ReconcileResult(freed, crashed, handedBack, reoffered, rebuilt);
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            LogQueueIsAway(e);
            return new ReconcileResult(freed, crashed, handedBack, 0, 0);
        }
    }

    /// <summary>Hands back everything that this process still has: the last act of a graceful stop.</summary>
    public async Task<int> HandBackEverythingAsync(CancellationToken cancellationToken) =>
        await claimer.HandBackAsync(await ReadOwnAsync(cancellationToken), cancellationToken);

    /// <summary>Frees running images without a living owner. Where the owner died, as against left, each is a suspect.</summary>
    private async Task<int> FreeOrphansAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                $"""
                with orphan as (
                  select i.id, p.id is not null as died
                  from images i
                  left join processes p on p.id = i.owner
                  where i.state = 'running'
                    and (p.id is null or {ProcessLeaseSql.IsDead})
                    and not (p.id is not null and i.exclusive and i.exclusive_crashes + 1 >= @exclusive_crashes)
                  for update of i skip locked
                ),
                freed as (
                  update images i
                  set state = 'waiting',
                      owner = null,
                      not_before = null,
                      attempts = greatest(i.attempts - 1, 0),
                      suspect = i.suspect or o.died,
                      exclusive_crashes = i.exclusive_crashes + (i.exclusive and o.died)::int,
                      exclusive = false
                  from orphan o
                  where i.id = o.id
                  returning o.died
                )
                select count(*)::int, count(*) filter (where died)::int, pg_notify('{FanOut.Channel}', '')
                from freed
                """)
            .With("lease", lease.Value.Duration)
            .With("exclusive_crashes", options.Value.MaxExclusiveCrashes);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var freed = reader.GetInt32(0);
        if (freed > 0) LogFreed(freed, reader.GetInt32(1));
        return freed;
    }

    /// <summary>Takes over images that killed their process once too often, and records them as failed as anyone else would.</summary>
    private async Task<int> FailPoisonImagesAsync(CancellationToken cancellationToken)
    {
        var poisonous = await TakePoisonImagesAsync(cancellationToken);
        foreach (var image in poisonous) LogPoisonImage(image.RequestId, image.Row, image.Position);
        await Task.WhenAll(poisonous.Select(image => recorder.RecordAsync(
            new ImageOutcome.Failed(
                image, QueueFailureCodes.DecoderCrashed, "The image made the decoder crash each time that it was processed."),
            cancellationToken)));
        return poisonous.Count;
    }

    private async Task<List<ClaimedImage>> TakePoisonImagesAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                $"""
                with crasher as (
                  select i.id
                  from images i
                  join processes p on p.id = i.owner
                  where i.state = 'running'
                    and {ProcessLeaseSql.IsDead}
                    and i.exclusive
                    and i.exclusive_crashes + 1 >= @exclusive_crashes
                  for update of i skip locked
                )
                update images i
                set owner = @owner,
                    fence = i.fence + 1,
                    exclusive = false,
                    suspect = true,
                    exclusive_crashes = i.exclusive_crashes + 1
                from crasher c
                where i.id = c.id
                returning i.id, i.request_id, i.run, i.fence, i.row, i.position, i.url, i.attempts, i.suspect
                """)
            .With("lease", lease.Value.Duration)
            .With("exclusive_crashes", options.Value.MaxExclusiveCrashes)
            .With("owner", process.Id);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var poisonous = new List<ClaimedImage>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var image = ImageClaimer.ReadClaimed(reader);
            held.Add(image);
            poisonous.Add(image);
        }

        return poisonous;
    }

    /// <summary>Forgets processes that died long ago, once nothing of theirs is left: until then their row is what tells death from departure.</summary>
    private async Task SweepProcessesAsync(CancellationToken cancellationToken) =>
        await database.Sql(
                $"""
                delete from processes p
                where p.heartbeat_at < now() - 10 * @lease
                  and {ProcessLeaseSql.IsDead}
                  and not exists (
                    select
                    from images i
                    where i.owner = p.id
                      and i.state = 'running')
                """)
            .With("lease", lease.Value.Duration)
            .ExecuteNonQueryAsync(cancellationToken);

    private async Task<int> HandBackUnaccountedAsync(CancellationToken cancellationToken)
    {
        var lost = (await ReadOwnAsync(cancellationToken)).Where(c => !held.Accounts(c.Id, c.Fence)).ToList();
        if (lost.Count == 0) return 0;
        var handedBack = await claimer.HandBackAsync(lost, cancellationToken);
        if (handedBack > 0) LogHandedBack(handedBack);
        return handedBack;
    }

    private async Task<List<(ImageId Id, long Fence)>> ReadOwnAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Sql("select id, fence from images where owner = @owner and state = 'running'")
            .With("owner", process.Id);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var own = new List<(ImageId, long)>();
        while (await reader.ReadAsync(cancellationToken)) own.Add((new ImageId(reader.GetInt64(0)), reader.GetInt64(1)));
        return own;
    }

    /// <summary>Pushes everything offered again if Redis has lost its memory.</summary>
    private async Task<int> RebuildAsync(CancellationToken cancellationToken)
    {
        if (await queue.TryBeginRebuildAsync(RebuildAtMost) is not { } mark) return 0;
        await WarnOfEvictionAsync();
        var pushed = 0;
        var last = new ImageId(0);
        while (await ReadOfferedAsync(last, cancellationToken) is { Count: > 0 } offers)
        {
            await ImageFeeder.PushAsync(queue, offers);
            last = offers[^1].Image;
            pushed += offers.Count;
        }

        // Emptied again half-way: the mark is gone with everything else, and the next pass begins anew.
        if (await queue.SettleAsync(mark)) LogRebuilt(pushed);
        return pushed;
    }

    private async Task<List<(RequestId Request, ImageId Image)>> ReadOfferedAsync(ImageId after, CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                """
                select i.request_id, i.id
                from csv_data_table r
                join images i on i.request_id = r.id
                where r.status = 'processing'
                  and r.fan_out_open
                  and i.state = 'offered'
                  and i.id > @after
                order by i.id
                limit @slice
                """)
            .With("after", after.Value)
            .With("slice", options.Value.ReconcileSlice);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await ImageFeeder.ReadOffersAsync(reader, cancellationToken);
    }

    /// <summary>Pushes offers again that have been lying for long, slice by slice.</summary>
    private async Task<int> ReofferAsync(CancellationToken cancellationToken)
    {
        var reoffered = 0;
        while (true)
        {
            var stale = await TouchStaleAsync(cancellationToken);
            await ImageFeeder.PushAsync(queue, stale);
            reoffered += stale.Count;
            if (stale.Count < options.Value.ReconcileSlice) return reoffered;
        }
    }

    private async Task<List<(RequestId Request, ImageId Image)>> TouchStaleAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                """
                with stale as (
                  select i.id
                  from csv_data_table r
                  join images i on i.request_id = r.id
                  where r.status = 'processing'
                    and r.fan_out_open
                    and i.state = 'offered'
                    and i.offered_at < now() - @age
                  limit @slice
                  for update of i skip locked
                )
                update images i
                set offered_at = now()
                from stale s
                where i.id = s.id
                returning i.request_id, i.id
                """)
            .With("age", options.Value.StaleOffer)
            .With("slice", options.Value.ReconcileSlice);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await ImageFeeder.ReadOffersAsync(reader, cancellationToken);
    }

    private async Task WarnOfEvictionAsync()
    {
        if (await queue.ReadEvictionPolicyAsync() is { } policy and not "noeviction") LogEvicts(policy);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Freed} running images have lost their process ({Suspects} by its death) and wait again")]
    private partial void LogFreed(int freed, int suspects);

    [LoggerMessage(Level = LogLevel.Error, Message = "Image {Row}-{Position} of request {Request} crashed its process each time it ran alone; it is recorded as failed")]
    private partial void LogPoisonImage(RequestId request, int row, int position);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} images that this process does not run were still marked as its own; handed back")]
    private partial void LogHandedBack(int count);

    [LoggerMessage(Level = LogLevel.Information, Message = "Redis was empty; pushed {Count} offered images into it")]
    private partial void LogRebuilt(int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Redis is away; offers are pushed again when it is back")]
    private partial void LogQueueIsAway(Exception exception);

    [LoggerMessage(Level = LogLevel.Critical, Message = "Redis has maxmemory-policy {Policy}: it may drop queued images under memory pressure, which delays them. Set it to noeviction.")]
    private partial void LogEvicts(string policy);
}
