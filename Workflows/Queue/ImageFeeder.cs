using Darkroom.Data;
using Darkroom.Requests;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Queue;

/// <summary>What a feeder pass found and did.</summary>
/// <param name="Open">Requests whose fan-out is open.</param>
/// <param name="Counted">Their images that were offered already.</param>
/// <param name="Offered">Images that this pass offered.</param>
public readonly record struct FeedResult(int Open, int Counted, int Offered);

/// <summary>
/// Moves images from waiting to offered, in slices, and pushes their ids into Redis after the commit. Any worker may feed, but only
/// one does so at a time. A request's first images do not wait for it: they are offered as its fan-out opens.
/// </summary>
public sealed partial class ImageFeeder(
    NpgsqlDataSource database, ImageQueue queue, IOptions<QueueOptions> options, ILogger<ImageFeeder> logger)
{
    // An arbitrary constant, distinct from the other advisory locks in the database.
    private const long FeederLock = 0x6461726b66656564;

    /// <summary>Offers at most one slice. If it offered anything, run another pass at once.</summary>
    public async Task<FeedResult> FeedAsync(CancellationToken cancellationToken)
    {
        var (open, counted, offers) = await OfferAsync(cancellationToken);
        if (offers.Count > 0)
            await PushAsync(offers);
        return new FeedResult(open, counted, offers.Count);
    }

    /// <summary>Removes an ended request's remaining ids from Redis, so that claimers do not have to discard them.</summary>
    public async Task WithdrawAsync(RequestId request, CancellationToken cancellationToken)
    {
        await using var command = database.Sql("select owner_id from csv_data_table where id = @request and status <> 'processing'")
            .With("request", request.Value);
        if (await command.ExecuteScalarAsync(cancellationToken) is Guid owner)
            await queue.RemoveAsync(new OwnerId(owner), request);
    }

    private async Task<(int Open, int Counted, IReadOnlyList<ImageOffer> Offers)> OfferAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);

        // Concurrent feeders would lose nothing, but would together offer twice the allowed number.
        await using var tryLock = connection.Sql("select pg_try_advisory_xact_lock(@lock)").With("lock", FeederLock);
        if (await tryLock.ExecuteScalarAsync(cancellationToken) is not true)
            return (1, 0, []);

        var open = await ReadOpenAsync(connection, cancellationToken);
        var counted = open.Sum(request => request.Offered);
        var shares = FeedShares.Compute(open, options.Value);
        if (shares.Count == 0)
            return (open.Count, counted, []);

        var offers = await OfferAsync(connection, shares, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return (open.Count, counted, offers);
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
        await using var batch = new NpgsqlBatch(connection);
        // If the database crashes, a lost offer is just an image that is waiting again, so there is no need to wait for the disk.
        batch.Add("set local synchronous_commit = off");
        // Shares differ too much for one plan.
        batch.Add("set local plan_cache_mode = force_custom_plan");
        ImageOffers.Offer(batch, shares);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        return await ImageOffers.ReadAsync(reader, cancellationToken);
    }

    /// <summary>
    /// Pushes offers into Redis. Does not throw: they are in Postgres, so StaleOfferPusher pushes again whatever does not get there.
    /// </summary>
    internal async Task PushAsync(IReadOnlyList<ImageOffer> offers)
    {
        try
        {
            await ImageOffers.PushAsync(queue, offers);
        }
        catch (Exception e)
        {
            LogNotPushed(offers.Count, e);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} offered images could not be pushed to Redis; trying again later")]
    private partial void LogNotPushed(int count, Exception exception);
}
