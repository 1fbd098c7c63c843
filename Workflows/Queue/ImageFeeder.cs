using Darkroom.Data;
using Darkroom.Requests;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using StackExchange.Redis;

namespace Darkroom.Queue;

/// <summary>What a feeder pass found and did.</summary>
/// <param name="Open">Requests whose fan-out is open.</param>
/// <param name="Offered">Images that this pass offered.</param>
public readonly record struct FeedResult(int Open, int Offered);

/// <summary>An image that may be claimed.</summary>
internal readonly record struct ImageOffer(OwnerId Owner, RequestId Request, ImageId Image);

/// <summary>
/// Moves images from waiting to offered, in slices, and pushes their ids into Redis after the commit. Any worker may feed, but only
/// one does so at a time.
/// </summary>
public sealed partial class ImageFeeder(
    NpgsqlDataSource database, ImageQueue queue, IOptions<QueueOptions> options, ILogger<ImageFeeder> logger)
{
    // An arbitrary constant, distinct from the other advisory locks in the database.
    private const long FeederLock = 0x6461726b66656564;

    /// <summary>Offers at most one slice. If it offered anything, run another pass at once.</summary>
    public async Task<FeedResult> FeedAsync(CancellationToken cancellationToken)
    {
        var (open, offers) = await OfferAsync(cancellationToken);
        if (offers.Count > 0)
            await PushAsync(offers);
        return new FeedResult(open, offers.Count);
    }

    /// <summary>Removes an ended request's remaining ids from Redis, so that claimers do not have to discard them.</summary>
    public async Task WithdrawAsync(RequestId request, CancellationToken cancellationToken)
    {
        var images = new List<ImageId>();
        await using (var command = database.Sql("select id from images where request_id = @request and state = 'offered'")
                         .With("request", request.Value))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
                images.Add(new ImageId(reader.GetInt64(0)));
        }

        await queue.RemoveAsync(request, images);
    }

    private async Task<(int Open, IReadOnlyList<ImageOffer> Offers)> OfferAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);

        // Concurrent feeders would lose nothing, but would together offer twice the allowed number.
        await using var tryLock = connection.Sql("select pg_try_advisory_xact_lock(@lock)").With("lock", FeederLock);
        if (await tryLock.ExecuteScalarAsync(cancellationToken) is not true)
            return (1, []);

        var open = await ReadOpenAsync(connection, cancellationToken);
        var shares = FeedShares.Compute(open, options.Value);
        if (shares.Count == 0)
            return (open.Count, []);

        var offers = await OfferAsync(connection, shares, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return (open.Count, offers);
    }

    /// <summary>
    /// Open requests, how many of their images are offered, and whether any may be offered now. The counts are cheap, because offers are
    /// bounded.
    /// </summary>
    private static async Task<List<OpenRequest>> ReadOpenAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = connection.Sql(
            """
            select r.owner_id,
                   r.id,
                   (select count(*)::int
                    from images i
                    where i.request_id = r.id
                      and i.state = 'offered'),
                   -- In an order, or else the planner may prefer to scan all images until it meets one.
                   (select true
                    from images i
                    where i.request_id = r.id
                      and i.state = 'waiting'
                      and (i.not_before is null or i.not_before <= now())
                    order by i.row, i.position
                    limit 1) is true
            from csv_data_table r
            where r.status = 'processing'
              and r.fan_out_open
            """);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var open = new List<OpenRequest>();
        while (await reader.ReadAsync(cancellationToken))
            open.Add(new OpenRequest(new OwnerId(reader.GetGuid(0)), new RequestId(reader.GetGuid(1)), reader.GetInt32(2), reader.GetBoolean(3)));
        return open;
    }

    private static async Task<List<ImageOffer>> OfferAsync(
        NpgsqlConnection connection, IReadOnlyList<FeedShare> shares, CancellationToken cancellationToken)
    {
        // If the database crashes, a lost offer is just an image that is waiting again, so there is no need to wait for the disk. The
        // run is set here because a retry reopens images from an earlier run. The planner does not know the room of each share. So that it
        // reads no more than is offered, it is told the largest one, each time anew, and gets the ids as an array: it would join them to all images.
        await using var command = connection.Sql(
                """
                set local synchronous_commit = off;
                set local plan_cache_mode = force_custom_plan;

                with share as (
                  select *
                  from unnest(@requests, @rooms) as s (request_id, room)
                ),
                picked as (
                  select i.id
                  from share s
                  cross join lateral (
                    select id
                    from (
                      select id
                      from images
                      where request_id = s.request_id
                        and state = 'waiting'
                        and (not_before is null or not_before <= now())
                      order by row, position
                      limit @most
                      for update skip locked
                    ) due
                    limit s.room
                  ) i
                )
                update images i
                set state = 'offered',
                    offered_at = now(),
                    run = r.run
                from csv_data_table r
                where i.id = any(array(select id from picked))
                  and r.id = i.request_id
                  and r.status = 'processing'
                returning r.owner_id, i.request_id, i.id
                """)
            .With("requests", NpgsqlDbType.Array | NpgsqlDbType.Uuid, shares.Select(s => s.Id.Value).ToArray())
            .With("rooms", NpgsqlDbType.Array | NpgsqlDbType.Integer, shares.Select(s => s.Room).ToArray())
            .With("most", shares.Max(s => s.Room));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await ReadOffersAsync(reader, cancellationToken);
    }

    internal static async Task<List<ImageOffer>> ReadOffersAsync(
        NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var offers = new List<ImageOffer>();
        while (await reader.ReadAsync(cancellationToken))
            offers.Add(new ImageOffer(new OwnerId(reader.GetGuid(0)), new RequestId(reader.GetGuid(1)), new ImageId(reader.GetInt64(2))));
        return offers;
    }

    /// <summary>The offers are in Postgres, so StaleOfferPusher pushes again whatever does not reach Redis.</summary>
    private async Task PushAsync(IReadOnlyList<ImageOffer> offers)
    {
        try
        {
            await PushAsync(queue, offers);
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            LogNotPushed(offers.Count, e);
        }
    }

    internal static async Task PushAsync(ImageQueue queue, IEnumerable<ImageOffer> offers)
    {
        // Ids ascend in row order.
        foreach (var request in offers.GroupBy(o => (o.Owner, o.Request), o => o.Image))
            await queue.PushAsync(request.Key.Owner, request.Key.Request, [.. request.OrderBy(image => image.Value)]);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} offered images could not be pushed to Redis; trying again later")]
    private partial void LogNotPushed(int count, Exception exception);
}
