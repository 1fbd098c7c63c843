namespace Darkroom.Api.Elsa.Instances;

/// <summary>Which instances the connections of this process look at, and since when.</summary>
internal sealed class WatchedInstances(TimeProvider time)
{
    // Studio reads an instance, then observes it, and only then begins to listen: what happens in between it hears by being told
    // again. Three polls: a browser on a busy machine takes its time.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(15);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Dictionary<Guid, long>> _connections = new(StringComparer.Ordinal);

    /// <summary>False where the connection already watches as many as one may.</summary>
    public bool TryAdd(string connection, Guid instance, int most)
    {
        lock (_lock)
        {
            if (!_connections.TryGetValue(connection, out var instances)) _connections[connection] = instances = [];
            if (instances.Count >= most && !instances.ContainsKey(instance)) return false;
            instances[instance] = time.GetTimestamp();
            return true;
        }
    }

    public void Remove(string connection)
    {
        lock (_lock) _connections.Remove(connection);
    }

    /// <summary>All of them; true of those that somebody has only just begun to watch.</summary>
    public IReadOnlyDictionary<Guid, bool> All()
    {
        lock (_lock)
            return _connections.Values.SelectMany(instances => instances)
                .GroupBy(watched => watched.Key, watched => time.GetElapsedTime(watched.Value) < Settling)
                .ToDictionary(watched => watched.Key, watched => watched.Any(isNew => isNew));
    }
}
