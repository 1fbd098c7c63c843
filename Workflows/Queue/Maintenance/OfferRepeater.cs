using Darkroom.Data;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Queue.Maintenance;

/// <summary>Pushes all offered images to Redis once more. Those that are still queued there stay as they are.</summary>
public sealed class OfferRepeater(NpgsqlDataSource database, ImageQueue queue, IOptions<QueueOptions> options)
{
    /// <summary>Returns how many there are.</summary>
    public async Task<int> RepeatAsync(CancellationToken cancellationToken)
    {
        var pushed = 0;
        var last = new ImageId(0);
        while (await ReadOfferedAsync(last, cancellationToken) is { Count: > 0 } offers)
        {
            await ImageOffers.PushAsync(queue, offers);
            last = offers[^1].Image;
            pushed += offers.Count;
        }

        return pushed;
    }

    private async Task<List<ImageOffer>> ReadOfferedAsync(ImageId after, CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                """
                select r.owner_id, i.request_id, i.id
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
        return await ImageOffers.ReadAsync(reader, cancellationToken);
    }
}
