using System.Runtime.CompilerServices;
using Darkroom.Data;
using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Queue;

/// <summary>An image that may be claimed.</summary>
internal readonly record struct ImageOffer(OwnerId Owner, RequestId Request, ImageId Image);

/// <summary>Moves images from waiting to offered in Postgres, and from there into Redis.</summary>
internal static class ImageOffers
{
    /// <summary>Adds to a batch: offers the next images of these requests, for <see cref="ReadAsync"/>.</summary>
    /// <remarks>
    /// The run is set here because a retry reopens images from an earlier run. The planner does not know the room of each share. So that it reads
    /// no more than is offered, it is told the largest one, and gets the ids as an array: it would join them to all images.
    /// </remarks>
    public static void Offer(NpgsqlBatch batch, IReadOnlyList<FeedShare> shares) =>
        batch.Add(
                """
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

    public static async Task<List<ImageOffer>> ReadAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var offers = new List<ImageOffer>();
        while (await reader.ReadAsync(cancellationToken))
            offers.Add(Read(reader));
        return offers;
    }

    /// <summary>Reads what has been offered for at least <paramref name="age"/>, in ascending order of ids, in slices.</summary>
    public static async IAsyncEnumerable<IReadOnlyList<ImageOffer>> ReadOfferedAsync(
        NpgsqlDataSource database, TimeSpan age, int slice, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                """
                select r.owner_id, i.request_id, i.id
                from csv_data_table r
                join images i on i.request_id = r.id
                where r.status = 'processing'
                  and r.fan_out_open
                  and i.state = 'offered'
                  and i.offered_at <= now() - @age
                order by i.id
                """)
            .With("age", age);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var offers = new List<ImageOffer>(slice);
        while (await reader.ReadAsync(cancellationToken))
        {
            offers.Add(Read(reader));
            if (offers.Count < slice)
                continue;
            yield return offers;
            offers = new List<ImageOffer>(slice);
        }

        if (offers.Count > 0)
            yield return offers;
    }

    public static async Task PushAsync(ImageQueue queue, IEnumerable<ImageOffer> offers)
    {
        // Ids ascend in row order.
        foreach (var request in offers.GroupBy(o => (o.Owner, o.Request), o => o.Image))
            await queue.PushAsync(request.Key.Owner, request.Key.Request, [.. request.OrderBy(image => image.Value)]);
    }

    private static ImageOffer Read(NpgsqlDataReader reader) =>
        new(new OwnerId(reader.GetGuid(0)), new RequestId(reader.GetGuid(1)), new ImageId(reader.GetInt64(2)));
}
