using System.Collections.Concurrent;
using Microsoft.Extensions.Options;

namespace Darkroom.Access;

/// <summary>
/// Keys that this process verified lately, by the hash of their text: whoever can name an entry holds the key. An entry answers for
/// <see cref="AccessOptions.Cache"/>; after that the database is asked again, and the entry only tells that the key was good once.
/// </summary>
public sealed class VerifiedKeyCache(TimeProvider time, IOptions<AccessOptions> options)
{
    private const int Capacity = 10_000;
    private static readonly TimeSpan Memory = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<string, Entry> _entries = new();
    private long _forgotten;

    /// <summary>A moment to pass to <see cref="Remember"/>: taken before the database is asked.</summary>
    public (long Timestamp, long Forgotten) Now() => (time.GetTimestamp(), Interlocked.Read(ref _forgotten));

    public VerifiedApiKey? Find(byte[] hash) =>
        _entries.TryGetValue(Convert.ToHexString(hash), out var entry) && time.GetElapsedTime(entry.Asked) < options.Value.Cache ? entry.Key : null;

    public bool Knows(byte[] hash) =>
        _entries.TryGetValue(Convert.ToHexString(hash), out var entry) && time.GetElapsedTime(entry.Asked) < Memory;

    public void Remember(byte[] hash, VerifiedApiKey key, (long Timestamp, long Forgotten) asked)
    {
        // A revocation between the question and this answer has already swept the entries; don't bring the key back.
        if (Interlocked.Read(ref _forgotten) != asked.Forgotten) return;
        if (_entries.Count >= Capacity) MakeRoom();
        _entries[Convert.ToHexString(hash)] = new Entry(key, asked.Timestamp);
    }

    public void Drop(byte[] hash) => _entries.TryRemove(Convert.ToHexString(hash), out _);

    public void Forget(string prefix)
    {
        Interlocked.Increment(ref _forgotten);
        foreach (var (hash, entry) in _entries)
            if (entry.Key.Prefix == prefix) _entries.TryRemove(hash, out _);
    }

    private void MakeRoom()
    {
        foreach (var hash in _entries.OrderBy(entry => entry.Value.Asked).Take(Capacity / 10).Select(entry => entry.Key).ToList())
            _entries.TryRemove(hash, out _);
    }

    private sealed record Entry(VerifiedApiKey Key, long Asked);
}
