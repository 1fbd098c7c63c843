using Darkroom.Data;

namespace Darkroom.Uploads;

/// <summary>An upload in flight, owned by this process.</summary>
/// <param name="Id">Becomes the request's id; its objects lie under it.</param>
/// <param name="Process">The process' id when the upload began, its fence: another id means that the lease was lost since.</param>
/// <param name="Held">Cancelled when the process loses its lease, and with it the upload.</param>
/// <param name="Owner">Whose it is.</param>
/// <param name="IdempotencyKey">The client's name for it.</param>
public sealed record Upload(RequestId Id, OwnerId Owner, string? IdempotencyKey, Guid Process, CancellationToken Held);

/// <summary>How the accepting transaction ended.</summary>
public abstract record Acceptance
{
    private Acceptance()
    {
    }

    /// <summary>The request exists.</summary>
    public sealed record Accepted(string Response) : Acceptance;

    /// <summary>It does not: the upload was taken over, or the transaction was rolled back.</summary>
    public sealed record Lost : Acceptance;

    /// <summary>The database went away with the commit, and with it the answer.</summary>
    public sealed record Unknown : Acceptance;
}
