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

/// <summary>
/// Moves images from waiting to offered, in slices, and pushes their ids into Redis once that is committed. Any worker may feed; one
/// at a time does.
/// </summary>
public sealed partial class ImageFeeder(
    NpgsqlDataSource database, ImageQueue queue, IOptions<QueueOptions> options, ILogger<ImageFeeder> logger)
{
    // Any constant does; it only has to differ from other advisory locks in the same database.
    private const long FeederLock = 0x6461726b66656564;

    /// <summary>One pass: offers at most one slice. Another one is worth while at once if it offered anything.</summary>
    public async Task<FeedResult> FeedAsync(CancellationToken cancellationToken)
    {
        var (open, offers) = await OfferAsync(cancellationToken);
        if (offers.Count > 0) await PushAsync(offers);
        return new FeedResult(open, offers.Count);
    }

    /// <summary>Takes what a request that has ended still has in Redis out of it, so that claimers need not meet and drop it.</summary>
    public async Task WithdrawAsync(RequestId request, CancellationToken cancellationToken)
    {
        var images = new List<ImageId>();
        await using (var command = database.Sql("select id from images where request_id = @request and state = 'offered'")
                         .With("request", request.Value))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken)) images.Add(new ImageId(reader.GetInt64(0)));
        }

        await queue.RemoveAsync(request, images);
    }

    private async Task<(int Open, IReadOnlyList<(RequestId Request, ImageId Image)> Offers)> OfferAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);

        // Two feeders at once would lose nothing, but together offer twice what is allowed.
        await using var turn = connection.Sql("select pg_try_advisory_xact_lock(@lock)").With("lock", FeederLock);
        if (await turn.ExecuteScalarAsync(cancellationToken) is not true) return (1, []);

        var open = await ReadOpenAsync(connection, cancellationToken);
        var shares = FeedShares.Compute(open, options.Value);
        if (shares.Count == 0) return (open.Count, []);

        var offers = await OfferAsync(connection, shares, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return (open.Count, offers);
    }

    /// <summary>Open requests that have something claimable; the counts are short, for what is offered is bounded.</summary>
    private static async Task<List<OpenRequest>> ReadOpenAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = connection.Sql(
            """
            select r.id,
                   (select count(*)::int
                    from images i
                    where i.request_id = r.id
                      and i.state = 'offered')
            from csv_data_table r
            where r.status = 'processing'
              and r.fan_out_open
            """);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var open = new List<OpenRequest>();
        while (await reader.ReadAsync(cancellationToken)) open.Add(new OpenRequest(new RequestId(reader.GetGuid(0)), reader.GetInt32(1)));
        return open;
    }

    private static async Task<List<(RequestId Request, ImageId Image)>> OfferAsync(
        NpgsqlConnection connection, IReadOnlyList<FeedShare> shares, CancellationToken cancellationToken)
    {
        // An offer lost in a crash of the server is an image that waits again: nobody needs to wait for the disk here. The run is
        // set here because a retry reopens images that were last opened in an earlier one.
        await using var command = connection.Sql(
                """
                set local synchronous_commit = off;

                with share as (
                  select *
                  from unnest(@requests, @rooms) as s (request_id, room)
                ),
                picked as (
                  select i.id
                  from share s
                  cross join lateral (
                    select id
                    from images
                    where request_id = s.request_id
                      and state = 'waiting'
                      and (not_before is null or not_before <= now())
                    order by row, position
                    limit s.room
                    for update skip locked
                  ) i
                )
                update images i
                set state = 'offered',
                    offered_at = now(),
                    run = r.run
                from picked p, csv_data_table r
                where i.id = p.id
                  and r.id = i.request_id
                  and r.status = 'processing'
                returning i.request_id, i.id
                """)
            .With("requests", NpgsqlDbType.Array | NpgsqlDbType.Uuid, shares.Select(s => s.Id.Value).ToArray())
            .With("rooms", NpgsqlDbType.Array | NpgsqlDbType.Integer, shares.Select(s => s.Room).ToArray());
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await ReadOffersAsync(reader, cancellationToken);
    }

    internal static async Task<List<(RequestId Request, ImageId Image)>> ReadOffersAsync(
        NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var offers = new List<(RequestId, ImageId)>();
        while (await reader.ReadAsync(cancellationToken)) offers.Add((new RequestId(reader.GetGuid(0)), new ImageId(reader.GetInt64(1))));
        return offers;
    }

    /// <summary>What does not reach Redis is pushed again by StaleOfferPusher: the offers are in Postgres.</summary>
    private async Task PushAsync(IReadOnlyList<(RequestId Request, ImageId Image)> offers)
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

    internal static async Task PushAsync(ImageQueue queue, IEnumerable<(RequestId Request, ImageId Image)> offers)
    {
        // Ids ascend as the file's rows do.
        foreach (var request in offers.GroupBy(o => o.Request, o => o.Image))
            await queue.PushAsync(request.Key, [.. request.OrderBy(image => image.Value)]);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} offered images could not be pushed into Redis; they are pushed again later")]
    private partial void LogNotPushed(int count, Exception exception);
}
