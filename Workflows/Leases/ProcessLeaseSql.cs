namespace Darkroom.Leases;

/// <summary>SQL conditions for dead claim owners, shared by every query that takes over claims. Both require <c>@lease</c>.</summary>
internal static class ProcessLeaseSql
{
    /// <summary>Whether the process in row <c>p</c> of <c>processes</c> is dead.</summary>
    /// <remarks>
    /// No process can renew its lease while the database is down, so after the database starts, no process counts as dead until a full
    /// lease duration has passed.
    /// </remarks>
    public const string IsDead = "(p.heartbeat_at <= now() - @lease and pg_postmaster_start_time() <= now() - @lease)";

    /// <summary>Whether the process with this id is dead, or has stopped and deleted its row.</summary>
    /// <param name="owner">The column that holds the id; null counts as gone.</param>
    public static string OwnerIsGone(string owner) => $"not exists (select from processes p where p.id = {owner} and not {IsDead})";
}
