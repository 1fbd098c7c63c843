using System.Collections.Concurrent;
using Microsoft.Extensions.Options;

namespace Darkroom.Access;

/// <summary>
/// Keys that this process verified recently, by the hash of the full key, so that only the holder of a key can hit its entry. An
/// entry is trusted for <see cref="AccessOptions.Cache"/>; after that the key is verified again.
/// </summary>
public sealed class VerifiedKeyCache(TimeProvider time, IOptions<AccessOptions> options)
{
    private const int Capacity = 10_000;

    private readonly ConcurrentDictionary<string, Entry> _entries = new();
    private long _removals;

    /// <summary>Take this before querying the database, and pass it to <see cref="Add"/>.</summary>
    public (long Timestamp, long Removals) Now() => (time.GetTimestamp(), Interlocked.Read(ref _removals));

    public VerifiedApiKey? Find(byte[] hash) =>
        _entries.TryGetValue(Convert.ToHexString(hash), out var entry) && time.GetElapsedTime(entry.VerifiedAt) < options.Value.Cache ? entry.Key : null;

    public void Add(byte[] hash, VerifiedApiKey key, (long Timestamp, long Removals) started)
    {
        // The key may have been revoked between the query and now, so it must not be cached again.
        if (Interlocked.Read(ref _removals) != started.Removals)
            return;
        if (_entries.Count >= Capacity)
            MakeRoom();
        _entries[Convert.ToHexString(hash)] = new Entry(key, started.Timestamp);
    }

    public void Remove(byte[] hash) => _entries.TryRemove(Convert.ToHexString(hash), out _);

    public void RemovePrefix(string prefix)
    {
        Interlocked.Increment(ref _removals);
        foreach (var (hash, entry) in _entries)
            if (entry.Key.Prefix == prefix)
                _entries.TryRemove(hash, out _);
    }

    private void MakeRoom()
    {
        foreach (var hash in _entries.OrderBy(entry => entry.Value.VerifiedAt).Take(Capacity / 10).Select(entry => entry.Key).ToList())
            _entries.TryRemove(hash, out _);
    }

    private sealed record Entry(VerifiedApiKey Key, long VerifiedAt);
}
