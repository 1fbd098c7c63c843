using System.Collections.Concurrent;
using Darkroom.Data;

namespace Darkroom.Uploads;

/// <summary>The uploads that this process is receiving. A row of this process that is not among them has been abandoned.</summary>
public sealed class ActiveUploads
{
    private readonly ConcurrentDictionary<RequestId, byte> _ids = new();

    public Guid[] Ids => [.. _ids.Keys.Select(id => id.Value)];

    internal void Add(RequestId id) => _ids[id] = 0;

    internal void Remove(RequestId id) => _ids.TryRemove(id, out _);
}
