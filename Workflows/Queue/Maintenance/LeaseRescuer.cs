using Darkroom.Data;
using Darkroom.Leases;
using Darkroom.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Queue.Maintenance;

/// <summary>
/// Frees running images that have no live owner. That costs an image none of its attempts: one image at most can have ended the process, and
/// from now on these are read only in decoders, which they may end as they like. Ids that a process had popped, but not claimed when it died, are
/// pushed again with them.
/// </summary>
public sealed partial class LeaseRescuer(
    NpgsqlDataSource database,
    OfferRepeater offers,
    DarkroomMetrics metrics,
    TimeProvider time,
    IOptions<ProcessLeaseOptions> lease,
    ILogger<LeaseRescuer> logger) : PeriodicService(time, logger)
{
    protected override TimeSpan Period => lease.Value.Scan;

    protected override Task RunOnceAsync(CancellationToken cancellationToken) => RescueAsync(cancellationToken);

    /// <summary>Returns how many images were freed.</summary>
    public async Task<int> RescueAsync(CancellationToken cancellationToken)
    {
        var (freed, died) = await FreeAsync(cancellationToken);
        if (died > 0)
            await offers.RepeatAsync(cancellationToken);
        return freed;
    }

    private async Task<(int Freed, int Died)> FreeAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                $"""
                with orphan as (
                  select i.id, p.id is not null as died
                  from images i
                  left join processes p on p.id = i.owner
                  where i.state = 'running'
                    and (p.id is null or {ProcessLeaseSql.IsDead})
                  for update of i skip locked
                ),
                freed as (
                  update images i
                  set state = 'waiting',
                      owner = null,
                      not_before = null,
                      suspect = i.suspect or o.died,
                      attempts = greatest(i.attempts - 1, 0)
                  from orphan o
                  where i.id = o.id
                  returning o.died
                )
                select count(*)::int, count(*) filter (where died)::int, pg_notify('{FanOut.Channel}', '')
                from freed
                """)
            .WithLease(lease.Value);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var (freed, died) = (reader.GetInt32(0), reader.GetInt32(1));
        metrics.ClaimsRecovered(ClaimKind.Image, freed);
        if (freed > 0)
            LogFreed(freed, died);
        return (freed, died);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Freed {Freed} running images whose process is gone; in {Crashed} cases it crashed")]
    private partial void LogFreed(int freed, int crashed);
}
