using Darkroom.Data;
using Darkroom.Engine.Bodies;
using Darkroom.Leases;
using Darkroom.Telemetry;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;
using StackExchange.Redis;

namespace Darkroom.Queue;

/// <summary>Claims offered images for this process, and hands back those it will not finish.</summary>
/// <remarks>
/// Claim only as many images as there are free slots, because a claim counts as an attempt. If slots free up quickly, wait for a few of
/// them: a claim costs one Redis call and one SQL statement, however many images it returns.
/// </remarks>
public sealed partial class ImageClaimer(
    NpgsqlDataSource database, ImageQueue queue, HeldClaims held, ProcessLease process, DarkroomMetrics metrics, ILogger<ImageClaimer> logger)
{
    private volatile bool _redisUnavailable;

    /// <summary>
    /// Claims images for the free places. Claims none if nobody who has room has an image queued, or if Redis or Postgres is unavailable.
    /// If there are fewer than free places, call <see cref="ImageQueue.WaitForWorkAsync"/> before trying again.
    /// </summary>
    public async Task<ClaimResult> ClaimAsync(PlaceUsage places, CancellationToken cancellationToken)
    {
        var lease = process.Current;
        var claimed = new List<ClaimedImage>();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var left = places.Less(claimed);
            var popped = await PopAsync(left);
            var isClaimed = popped.Images.Count == 0 || await TryClaimAsync(popped.Images, lease.Id, claimed);
            // Ids of images that are no longer offered leave places free.
            if (!isClaimed || popped.Images.Count < left.Free || claimed.Count >= places.Free)
                return new ClaimResult(claimed, popped.Share, popped.Missing, lease.Held);
        }
    }

    /// <summary>Hands claimed images back as if they had never started. Images no longer owned by this process are left alone.</summary>
    public async Task HandBackAsync(IReadOnlyCollection<ClaimedImage> images, CancellationToken cancellationToken)
    {
        if (images.Count == 0)
            return;
        try
        {
            await HandBackAsync(images.Select(i => (i.Id, i.Fence)).ToList(), cancellationToken);
        }
        finally
        {
            // Even on failure: LostClaimReturner hands back rows that name this process but are not tracked.
            foreach (var image in images)
                held.Remove(image);
        }
    }

    internal async Task<int> HandBackAsync(IReadOnlyCollection<(ImageId Id, long Fence)> claims, CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                $"""
                with claim as (
                  select *
                  from unnest(@ids, @fences) as c (id, fence)
                ),
                freed as (
                  update images i
                  set state = 'waiting',
                      owner = null,
                      not_before = null,
                      attempts = greatest(i.attempts - 1, 0)
                  from claim c
                  where i.id = c.id
                    and i.fence = c.fence
                    and i.state = 'running'
                  returning i.id
                )
                select count(*)::int, pg_notify('{FanOut.Channel}', '')
                from freed
                """)
            .With("ids", NpgsqlDbType.Array | NpgsqlDbType.Bigint, claims.Select(c => c.Id.Value).ToArray())
            .With("fences", NpgsqlDbType.Array | NpgsqlDbType.Bigint, claims.Select(c => c.Fence).ToArray());
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private async Task<PopResult> PopAsync(PlaceUsage places)
    {
        try
        {
            var popped = await queue.PopAsync(places);
            if (_redisUnavailable)
                LogRedisAvailable();
            _redisUnavailable = false;
            return popped;
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            if (!_redisUnavailable)
                LogRedisUnavailable(e);
            _redisUnavailable = true;
            return new PopResult([], 0, 0);
        }
    }

    /// <summary>
    /// Popped ids are no longer in Redis, so this cannot be cancelled. If it fails, queue maintenance recovers them: it re-pushes images
    /// that are still offered, and hands back claims that committed although their response was lost.
    /// </summary>
    private async Task<bool> TryClaimAsync(IReadOnlyList<ImageId> popped, Guid owner, List<ClaimedImage> claimed)
    {
        held.Expect(popped);
        try
        {
            foreach (var image in await ClaimAsync(popped, owner))
            {
                held.Add(image);
                claimed.Add(image);
            }

            return true;
        }
        catch (Exception e) when (DatabaseErrors.IsTransient(e))
        {
            LogNotClaimed(popped.Count, e);
            return false;
        }
        finally
        {
            held.Unexpect(popped);
        }
    }

    private async Task<List<ClaimedImage>> ClaimAsync(IReadOnlyList<ImageId> popped, Guid owner)
    {
        // Locked rows are skipped because another transaction is changing their state. A process without a row in processes claims
        // nothing, because its claims would be freed at once. The state is compared as text to keep the planner from using the index
        // of offered images: its statistics rarely show any, so it would scan all of them to find a few.
        await using var command = database.Sql(
                """
                with claimable as (
                  select i.id, r.owner_id
                  from images i
                  join csv_data_table r on r.id = i.request_id
                  where i.id = any(@ids)
                    and i.state::text = 'offered'
                    and i.run = r.run
                    and r.status = 'processing'
                    and exists (select from processes where id = @owner)
                  order by i.id
                  for update of i skip locked
                )
                update images i
                set state = 'running',
                    owner = @owner,
                    fence = i.fence + 1,
                    attempts = i.attempts + 1
                from claimable c
                where i.id = c.id
                returning i.id, i.request_id, i.run, i.fence, i.row, i.position, i.url, i.attempts, i.preemptions, c.owner_id, i.suspect, now() - i.offered_at
                """)
            .With("ids", NpgsqlDbType.Array | NpgsqlDbType.Bigint, popped.Select(p => p.Value).ToArray())
            .With("owner", owner);
        await using var reader = await command.ExecuteReaderAsync(CancellationToken.None);
        var claimed = new List<ClaimedImage>(popped.Count);
        while (await reader.ReadAsync(CancellationToken.None))
        {
            claimed.Add(ReadClaimed(reader));
            metrics.ImageClaimed(reader.GetTimeSpan(11));
        }

        return claimed;
    }

    private static ClaimedImage ReadClaimed(NpgsqlDataReader reader) => new(
        new ImageId(reader.GetInt64(0)), new RequestId(reader.GetGuid(1)), reader.GetInt32(2), reader.GetInt64(3),
        reader.GetInt32(4), reader.GetInt32(5), reader.GetString(6), reader.GetInt32(7), reader.GetInt32(8), new OwnerId(reader.GetGuid(9)), reader.GetBoolean(10));

    [LoggerMessage(Level = LogLevel.Warning, Message = "Redis is unavailable; no images can be claimed until it recovers")]
    private partial void LogRedisUnavailable(Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Redis is available again")]
    private partial void LogRedisAvailable();

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} images could not be claimed; they will be offered again")]
    private partial void LogNotClaimed(int count, Exception exception);
}
