using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace Darkroom.Access;

/// <summary>
/// Counts bad keys, a minute at a time, by source address and by public prefix. Kept by each process for itself: the aim is to make
/// guessing slow and dull, not to count exactly.
/// </summary>
public sealed class BadKeyLimiter(TimeProvider time, IOptions<AccessOptions> options)
{
    /// <summary>The window that attempts are counted in.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    // A flood of made-up prefixes or addresses must not fill the memory: beyond this, strangers share one count.
    private const int Capacity = 20_000;
    private const string Others = "*";

    private readonly ConcurrentDictionary<string, Count> _counts = new();

    /// <summary>How long the source has to wait before another key of its is looked at; null if it need not.</summary>
    public TimeSpan? SourceWait(IPAddress? source) => Wait(SourceKey(source), options.Value.BadKeysPerSource);

    /// <summary>Notes a bad key. Returns how long to wait, if the source or the prefix is beyond its limit.</summary>
    public TimeSpan? Note(IPAddress? source, string? prefix)
    {
        Add(SourceKey(source));
        if (prefix is not null) Add("p:" + prefix);
        var sourceWait = Wait(SourceKey(source), options.Value.BadKeysPerSource + 1);
        var prefixWait = prefix is null ? null : Wait("p:" + prefix, options.Value.BadKeysPerPrefix + 1);
        return sourceWait > prefixWait || prefixWait is null ? sourceWait : prefixWait;
    }

    private TimeSpan? Wait(string key, int limit)
    {
        if (!_counts.TryGetValue(key, out var count) && !(_counts.Count >= Capacity && _counts.TryGetValue(Others, out count))) return null;
        var left = Window - time.GetElapsedTime(count!.Since);
        return count.Bad >= limit && left > TimeSpan.Zero ? left : null;
    }

    private void Add(string key)
    {
        if (_counts.Count >= Capacity && !_counts.ContainsKey(key))
        {
            foreach (var (old, count) in _counts)
                if (time.GetElapsedTime(count.Since) >= Window) _counts.TryRemove(old, out _);
            if (_counts.Count >= Capacity) key = Others;
        }

        _counts.AddOrUpdate(
            key,
            _ => new Count(time.GetTimestamp(), 1),
            (_, count) => time.GetElapsedTime(count.Since) >= Window
                ? new Count(time.GetTimestamp(), 1)
                : count with { Bad = count.Bad + 1 });
    }

    // One IPv6 customer commonly holds a whole /64.
    private static string SourceKey(IPAddress? source)
    {
        if (source is null) return "s:";
        if (source.IsIPv4MappedToIPv6) source = source.MapToIPv4();
        return source.AddressFamily == AddressFamily.InterNetworkV6
            ? "s:" + Convert.ToHexString(source.GetAddressBytes().AsSpan(0, 8))
            : "s:" + source;
    }

    private sealed record Count(long Since, int Bad);
}
