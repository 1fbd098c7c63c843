using Darkroom.Data;
using Darkroom.Leases;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Queue.Maintenance;

/// <summary>Pushes offers again that have gone unclaimed for too long: their ids may have been lost between pop and claim.</summary>
public sealed class StaleOfferPusher(
    NpgsqlDataSource database,
    ImageQueue queue,
    TimeProvider time,
    IOptions<ProcessLeaseOptions> lease,
    IOptions<QueueOptions> options,
    ILogger<StaleOfferPusher> logger) : PeriodicService(time, logger)
{
    protected override TimeSpan Period => lease.Value.Scan;

    protected override Task RunOnceAsync(CancellationToken cancellationToken) => PushAsync(cancellationToken);

    /// <summary>Returns how many offers were pushed.</summary>
    public async Task<int> PushAsync(CancellationToken cancellationToken)
    {
        var reoffered = 0;
        while (true)
        {
            var stale = await TouchStaleAsync(cancellationToken);
            await ImageOffers.PushAsync(queue, stale);
            reoffered += stale.Count;
            if (stale.Count < options.Value.ReconcileSlice)
                return reoffered;
        }
    }

    private async Task<List<ImageOffer>> TouchStaleAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                """
                with stale as (
                  select i.id, r.owner_id
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
                returning s.owner_id, i.request_id, i.id
                """)
            .With("age", options.Value.StaleOffer)
            .With("slice", options.Value.ReconcileSlice);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await ImageOffers.ReadAsync(reader, cancellationToken);
    }
}
