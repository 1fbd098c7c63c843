using System.Collections.Concurrent;
using Darkroom.Data;

namespace Darkroom.Uploads;

/// <summary>An upload in flight, owned by this process.</summary>
/// <param name="Id">Becomes the request's id; its objects lie under it.</param>
/// <param name="Process">The process' id when the upload began, its fence: another id means that the lease was lost since.</param>
/// <param name="Held">Cancelled when the process loses its lease, and with it the upload.</param>
/// <param name="Owner">Whose it is.</param>
/// <param name="IdempotencyKey">The client's name for it.</param>
public sealed record Upload(RequestId Id, OwnerId Owner, string? IdempotencyKey, Guid Process, CancellationToken Held);

/// <summary>The uploads that this process is receiving. A row of this process that is not among them has been abandoned.</summary>
public sealed class ActiveUploads
{
    private readonly ConcurrentDictionary<RequestId, byte> _ids = new();

    public Guid[] Ids => [.. _ids.Keys.Select(id => id.Value)];

    internal void Add(RequestId id) => _ids[id] = 0;

    internal void Remove(RequestId id) => _ids.TryRemove(id, out _);
}
