using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace Darkroom.Access;

/// <summary>
/// Rate limit for bad keys, by source address and by public prefix, in fixed windows of a minute. Each process counts on its own:
/// the aim is to tell a misconfigured client to slow down, not to count exactly. Whether a key is bad is found out first, so a valid key is
/// never limited.
/// </summary>
public sealed class BadKeyLimiter(TimeProvider time, IOptions<AccessOptions> options)
{
    /// <summary>All counts are reset together at the end of a window, so no entry needs its own expiry.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    // A flood of made-up prefixes or addresses must not exhaust memory: beyond this, new ones share one count.
    private const int Capacity = 20_000;
    private const string Others = "others";

    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _counts = [];
    private long _windowStart = time.GetTimestamp();

    /// <summary>Sources and prefixes that currently have their own count.</summary>
    public int Tracked
    {
        get
        {
            lock (_lock)
                return _counts.Count;
        }
    }

    /// <summary>Counts a bad key. Returns how long to wait if the source or the prefix is over its limit.</summary>
    public TimeSpan? Note(IPAddress? source, string? prefix)
    {
        lock (_lock)
        {
            var remaining = RemainingWindow();
            var exceeded = Add(SourceKey(source)) > options.Value.BadKeysPerSource;
            if (prefix is not null)
                exceeded |= Add("prefix " + prefix) > options.Value.BadKeysPerPrefix;
            return exceeded ? remaining : null;
        }
    }

    private TimeSpan RemainingWindow()
    {
        var remaining = Window - time.GetElapsedTime(_windowStart);
        if (remaining > TimeSpan.Zero)
            return remaining;
        _counts.Clear();
        _windowStart = time.GetTimestamp();
        return Window;
    }

    private int Add(string key)
    {
        if (_counts.Count >= Capacity && !_counts.ContainsKey(key))
            key = Others;
        return _counts[key] = _counts.GetValueOrDefault(key) + 1;
    }

    // An IPv6 customer usually has a whole /64.
    private static string SourceKey(IPAddress? source)
    {
        if (source is null)
            return "source unknown";
        if (source.IsIPv4MappedToIPv6)
            source = source.MapToIPv4();
        return source.AddressFamily == AddressFamily.InterNetworkV6
            ? "source " + Convert.ToHexString(source.GetAddressBytes().AsSpan(0, 8))
            : "source " + source;
    }
}
