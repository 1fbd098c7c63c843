namespace Darkroom.Api.Elsa.Instances;

/// <summary>Which instances the connections of this process look at.</summary>
internal sealed class WatchedInstances
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, HashSet<Guid>> _connections = new(StringComparer.Ordinal);

    /// <summary>False where the connection already watches as many as one may.</summary>
    public bool TryAdd(string connection, Guid instance, int most)
    {
        lock (_lock)
        {
            if (!_connections.TryGetValue(connection, out var instances)) _connections[connection] = instances = [];
            return instances.Contains(instance) || (instances.Count < most && instances.Add(instance));
        }
    }

    public void Remove(string connection)
    {
        lock (_lock) _connections.Remove(connection);
    }

    public HashSet<Guid> All()
    {
        lock (_lock) return [.. _connections.Values.SelectMany(instances => instances)];
    }
}
