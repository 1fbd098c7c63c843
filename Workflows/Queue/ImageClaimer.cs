using Darkroom.Data;
using Darkroom.Engine.Bodies;
using Darkroom.Leases;
using Darkroom.Telemetry;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;
using StackExchange.Redis;

namespace Darkroom.Queue;

/// <summary>Claims offered images for this process, and hands back those whose bodies will not run to an end here.</summary>
/// <remarks>
/// Claim exactly as many as have a free slot, for a claim counts as a started body, and let a few slots gather where they free up
/// quickly: a claim costs one call to Redis and one statement, however many images it brings.
/// </remarks>
public sealed partial class ImageClaimer(
    NpgsqlDataSource database, ImageQueue queue, HeldClaims held, ProcessLease process, DarkroomMetrics metrics, ILogger<ImageClaimer> logger)
{
    private volatile bool _queueIsAway;

    /// <summary>
    /// Claims up to <paramref name="max"/> images. Brings none where none is to be had, and also while Redis or Postgres is away:
    /// in every case wait with <see cref="ImageQueue.WaitForWorkAsync"/> before the next try.
    /// </summary>
    public async Task<IReadOnlyList<ClaimedImage>> ClaimAsync(int max, CancellationToken cancellationToken)
    {
        var claimed = new List<ClaimedImage>();
        while (claimed.Count < max)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var asked = max - claimed.Count;
            var popped = await PopAsync(asked);
            if (popped.Count > 0 && !await TryClaimAsync(popped, claimed)) break;
            if (popped.Count < asked) break;
        }

        return claimed;
    }

    /// <summary>
    /// Notes that this image's body is about to run while nothing else runs in this process, so that a death now is its doing. False
    /// if the claim no longer holds.
    /// </summary>
    public async Task<bool> MarkExclusiveAsync(ClaimedImage image, CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                """
                update images
                set exclusive = true
                where id = @id
                  and fence = @fence
                  and state = 'running'
                """)
            .With("id", image.Id.Value)
            .With("fence", image.Fence);
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <summary>Gives claimed images back as if their bodies had never started. What no longer is ours is left alone.</summary>
    public async Task HandBackAsync(IReadOnlyCollection<ClaimedImage> images, CancellationToken cancellationToken)
    {
        if (images.Count == 0) return;
        try
        {
            await HandBackAsync(images.Select(i => (i.Id, i.Fence)).ToList(), cancellationToken);
        }
        finally
        {
            // Also where it failed: what is marked as ours and not held is handed back by LostClaimReturner.
            foreach (var image in images) held.Remove(image);
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
                      exclusive = false,
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

    private async Task<IReadOnlyList<ImageId>> PopAsync(int max)
    {
        try
        {
            var popped = await queue.PopAsync(max);
            if (_queueIsAway) LogQueueIsBack();
            _queueIsAway = false;
            return popped;
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            if (!_queueIsAway) LogQueueIsAway(e);
            _queueIsAway = true;
            return [];
        }
    }

    /// <summary>
    /// Popped ids are in nobody's hands but ours, so this takes no cancellation: it either brings them home or leaves them to the
    /// queue's maintenance, which pushes again what is still offered and hands back what was claimed without our hearing of it.
    /// </summary>
    private async Task<bool> TryClaimAsync(IReadOnlyList<ImageId> popped, List<ClaimedImage> claimed)
    {
        held.Expect(popped);
        try
        {
            foreach (var image in await ClaimAsync(popped))
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

    private async Task<List<ClaimedImage>> ClaimAsync(IReadOnlyList<ImageId> popped)
    {
        await using var connection = await database.OpenConnectionAsync(CancellationToken.None);
        // Skipping locked rows: whoever holds the lock is moving the image elsewhere. A process without a live row claims nothing,
        // for its claims would be free at once. The state is compared as text to keep the planner from the index of offered images:
        // its statistics rarely see any, so it would walk through all of them for the sake of a few.
        await using var command = connection.Sql(
                """
                with claimable as (
                  select i.id
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
                    attempts = i.attempts + 1,
                    exclusive = false
                from claimable c
                where i.id = c.id
                returning i.id, i.request_id, i.run, i.fence, i.row, i.position, i.url, i.attempts, i.suspect, now() - i.offered_at
                """)
            .With("ids", NpgsqlDbType.Array | NpgsqlDbType.Bigint, popped.Select(p => p.Value).ToArray())
            .With("owner", process.Id);
        await command.PrepareAsync(CancellationToken.None);
        await using var reader = await command.ExecuteReaderAsync(CancellationToken.None);
        var claimed = new List<ClaimedImage>(popped.Count);
        while (await reader.ReadAsync(CancellationToken.None))
        {
            claimed.Add(ReadClaimed(reader));
            metrics.ImageClaimed(reader.GetTimeSpan(9));
        }

        return claimed;
    }

    internal static ClaimedImage ReadClaimed(NpgsqlDataReader reader) => new(
        new ImageId(reader.GetInt64(0)), new RequestId(reader.GetGuid(1)), reader.GetInt32(2), reader.GetInt64(3),
        reader.GetInt32(4), reader.GetInt32(5), reader.GetString(6), reader.GetInt32(7), reader.GetBoolean(8));

    [LoggerMessage(Level = LogLevel.Warning, Message = "Redis is away; images are claimed again when it is back")]
    private partial void LogQueueIsAway(Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Redis is back")]
    private partial void LogQueueIsBack();

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} images could not be claimed; they are offered again")]
    private partial void LogNotClaimed(int count, Exception exception);
}
