using Darkroom.Data;
using Darkroom.Leases;
using Darkroom.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Queue.Maintenance;

/// <summary>Reports how many images are waiting and for how long, if those metrics are collected.</summary>
public sealed class QueueSampler(
    NpgsqlDataSource database, DarkroomMetrics metrics, TimeProvider time, IOptions<ProcessLeaseOptions> lease, ILogger<QueueSampler> logger)
    : PeriodicService(time, logger)
{
    protected override TimeSpan Period => lease.Value.Scan;

    protected override async Task RunOnceAsync(CancellationToken cancellationToken)
    {
        if (metrics.SamplesQueue)
            await SampleAsync(cancellationToken);
    }

    /// <summary>Derives the depth from the counters of open requests: counting images would get slower as the queue grows.</summary>
    public async Task SampleAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
            """
            select greatest(0, coalesce(sum(r.no_of_images - r.images_succeeded - r.images_failed), 0)
                             - (select count(*) from images where state = 'running'))::bigint,
                   coalesce(now() - min(o.offered_at), interval '0')
            from csv_data_table r
            left join lateral (
              select offered_at
              from images
              where request_id = r.id
                and state = 'offered'
              order by offered_at
              limit 1
            ) o on true
            where r.status = 'processing'
              and r.fan_out_open
            """);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        metrics.QueueSampled(reader.GetInt64(0), reader.GetTimeSpan(1));
    }
}
