namespace Darkroom.Leases;

/// <summary>When the owner of a claim is dead, as SQL: the same for everybody who takes claims over. Both conditions bind <c>@lease</c>.</summary>
internal static class ProcessLeaseSql
{
    /// <summary>Whether the process in row <c>p</c> of <c>processes</c> is dead.</summary>
    /// <remarks>
    /// A server that was down kept everybody from renewing, so after its start nobody counts as dead until all have had a whole
    /// lease's time to.
    /// </remarks>
    public const string IsDead = "(p.heartbeat_at <= now() - @lease and pg_postmaster_start_time() <= now() - @lease)";

    /// <summary>Whether the process with this id is dead, or has signed off.</summary>
    /// <param name="owner">The column that holds the id; null there counts as nobody.</param>
    public static string OwnerIsGone(string owner) => $"not exists (select from processes p where p.id = {owner} and not {IsDead})";
}
