namespace Darkroom.Api.Elsa.Instances;

/// <summary>Which instances this process's connections watch, and since when.</summary>
internal sealed class WatchedInstances(TimeProvider time)
{
    // Studio reads an instance, then observes it, and only then starts to listen: it learns of changes in between because they are
    // sent again. Long enough for three times, as a browser on a busy machine is slow.
    private static readonly TimeSpan ResendPeriod = TimeSpan.FromSeconds(15);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Dictionary<Guid, long>> _connections = new(StringComparer.Ordinal);

    /// <summary>False if the connection already watches the maximum number of instances.</summary>
    public bool TryAdd(string connection, Guid instance, int max)
    {
        lock (_lock)
        {
            if (!_connections.TryGetValue(connection, out var instances))
                _connections[connection] = instances = [];
            if (instances.Count >= max && !instances.ContainsKey(instance))
                return false;
            instances[instance] = time.GetTimestamp();
            return true;
        }
    }

    public void Remove(string connection)
    {
        lock (_lock)
            _connections.Remove(connection);
    }

    /// <summary>All of them; true for those that somebody has only just started to watch.</summary>
    public IReadOnlyDictionary<Guid, bool> All()
    {
        lock (_lock)
            return _connections.Values.SelectMany(instances => instances)
                .GroupBy(watched => watched.Key, watched => time.GetElapsedTime(watched.Value) < ResendPeriod)
                .ToDictionary(watched => watched.Key, watched => watched.Any(isNew => isNew));
    }
}
