using Darkroom.Data;
using Darkroom.Leases;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Queue.Maintenance;

/// <summary>Pushes offers again whose ids have been lost, for example between pop and claim. Those that only wait long stay as they are.</summary>
public sealed class StaleOfferPusher(
    NpgsqlDataSource database,
    ImageQueue queue,
    TimeProvider time,
    IOptions<ProcessLeaseOptions> lease,
    IOptions<QueueOptions> options,
    ILogger<StaleOfferPusher> logger) : PeriodicService(time, logger)
{
    // A check reads every stale offer, so one process is enough, and it need not hurry.
    private const int ChecksPerAge = 3;

    protected override TimeSpan Period => lease.Value.Scan;

    protected override async Task RunOnceAsync(CancellationToken cancellationToken)
    {
        if (await queue.TryBeginCheckAsync(options.Value.StaleOffer / ChecksPerAge))
            await PushAsync(cancellationToken);
    }

    /// <summary>Returns how many offers were pushed.</summary>
    public async Task<int> PushAsync(CancellationToken cancellationToken)
    {
        var pushed = 0;
        await foreach (var stale in ImageOffers.ReadOfferedAsync(database, options.Value.StaleOffer, options.Value.ReconcileSlice, cancellationToken))
        {
            var missing = await queue.FindMissingAsync([.. stale.Select(offer => offer.Image)]);
            if (missing.Count == 0)
                continue;
            var lost = await TouchAsync(missing, cancellationToken);
            await ImageOffers.PushAsync(queue, lost);
            pushed += lost.Count;
        }

        return pushed;
    }

    /// <summary>Those that have not been claimed meanwhile. They count as offered now, so that they get as long again.</summary>
    private async Task<List<ImageOffer>> TouchAsync(IReadOnlyList<ImageId> missing, CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                """
                update images i
                set offered_at = now()
                from csv_data_table r
                where i.id = any(@ids)
                  and i.state::text = 'offered'
                  and r.id = i.request_id
                  and r.status = 'processing'
                returning r.owner_id, i.request_id, i.id
                """)
            .With("ids", NpgsqlDbType.Array | NpgsqlDbType.Bigint, missing.Select(image => image.Value).ToArray());
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await ImageOffers.ReadAsync(reader, cancellationToken);
    }
}
