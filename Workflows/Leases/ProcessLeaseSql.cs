using Darkroom.Data;
using Npgsql;

namespace Darkroom.Leases;

/// <summary>SQL for dead claim owners, shared by every query that takes over claims. All of it requires <see cref="WithLease"/>.</summary>
internal static class ProcessLeaseSql
{
    /// <summary>Whether the process in row <c>p</c> of <c>processes</c> is dead.</summary>
    /// <remarks>
    /// A heartbeat also grows old while nobody can reach the database: during a restart, a failover, a network outage. So there must have
    /// been heartbeats without a gap for a full lease, which prove that the database could be reached all that time.
    /// </remarks>
    public const string IsDead =
        """
        (p.heartbeat_at <= now() - @lease
         and exists (
           select
           from processes witness
           where witness.heartbeat_at > now() - @gap
             and witness.beating_since <= now() - @lease))
        """;

    /// <summary>
    /// Since when there have been heartbeats without a gap, up to this moment. Those of several processes count together: where each lives only
    /// shortly, none could prove anything alone.
    /// </summary>
    public const string BeatingSince =
        """
        coalesce((
          select min(witness.beating_since)
          from processes witness
          where witness.heartbeat_at > now() - @gap), now())
        """;

    /// <summary>Whether the process with this id is dead, or has stopped and deleted its row.</summary>
    /// <param name="owner">The column that holds the id; null counts as gone.</param>
    public static string OwnerIsGone(string owner) => $"not exists (select from processes p where p.id = {owner} and not {IsDead})";

    /// <summary>Adds the parameters of these conditions.</summary>
    public static NpgsqlCommand WithLease(this NpgsqlCommand command, ProcessLeaseOptions lease) =>
        command.With("lease", lease.Duration).With("gap", lease.LongestGap);
}
