using System.Collections.Concurrent;
using Darkroom.Data;

namespace Darkroom.Uploads;

/// <summary>An upload in progress, owned by this process.</summary>
/// <param name="Id">Becomes the request's id and the prefix of its objects' keys.</param>
/// <param name="Process">The process id when the upload began. It serves as a fence: a different id means that the lease was lost.</param>
/// <param name="Held">Cancelled when the process loses its lease, and with it the upload.</param>
/// <param name="Owner">The owner who is uploading.</param>
/// <param name="IdempotencyKey">The client's idempotency key, if any.</param>
public sealed record Upload(RequestId Id, OwnerId Owner, string? IdempotencyKey, Guid Process, CancellationToken Held);

/// <summary>The uploads this process is receiving. A row that names this process but is not listed here has been abandoned.</summary>
public sealed class ActiveUploads
{
    private readonly ConcurrentDictionary<RequestId, byte> _ids = new();

    public Guid[] Ids => [.. _ids.Keys.Select(id => id.Value)];

    internal void Add(RequestId id) => _ids[id] = 0;

    internal void Remove(RequestId id) => _ids.TryRemove(id, out _);
}
