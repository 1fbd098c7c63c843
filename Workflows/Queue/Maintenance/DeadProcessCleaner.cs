using Darkroom.Data;
using Darkroom.Leases;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Queue.Maintenance;

/// <summary>
/// Deletes the rows of processes that died long ago, once they own no running images. Until then, the row shows that the process
/// crashed rather than stopped cleanly.
/// </summary>
public sealed class DeadProcessCleaner(
    NpgsqlDataSource database, TimeProvider time, IOptions<ProcessLeaseOptions> lease, ILogger<DeadProcessCleaner> logger)
    : PeriodicService(time, logger)
{
    protected override TimeSpan Period => lease.Value.Scan;

    protected override Task RunOnceAsync(CancellationToken cancellationToken) => CleanAsync(cancellationToken);

    public async Task<int> CleanAsync(CancellationToken cancellationToken) =>
        await database.Sql(
                $"""
                delete from processes p
                where p.heartbeat_at < now() - 10 * @lease
                  and {ProcessLeaseSql.IsDead}
                  and not exists (
                    select
                    from images i
                    where i.owner = p.id
                      and i.state = 'running')
                """)
            .WithLease(lease.Value)
            .ExecuteNonQueryAsync(cancellationToken);
}
