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
    /// <summary>Counts begin anew this often, all at once: nothing has to be looked for to be forgotten.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    // A flood of made-up prefixes or addresses must not fill the memory: beyond this, strangers share one count.
    private const int Capacity = 20_000;
    private const string Others = "others";

    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _bad = [];
    private long _began = time.GetTimestamp();

    /// <summary>Sources and prefixes that are counted apart at the moment.</summary>
    public int Tracked
    {
        get
        {
            lock (_lock) return _bad.Count;
        }
    }

    /// <summary>How long the source has to wait before another key of its is looked at; null if it need not.</summary>
    public TimeSpan? SourceWait(IPAddress? source)
    {
        lock (_lock)
        {
            var left = LeftOfWindow();
            return Bad(SourceKey(source)) >= options.Value.BadKeysPerSource ? left : null;
        }
    }

    /// <summary>Notes a bad key. Returns how long to wait, if the source or the prefix is beyond its limit.</summary>
    public TimeSpan? Note(IPAddress? source, string? prefix)
    {
        lock (_lock)
        {
            var left = LeftOfWindow();
            var beyond = Add(SourceKey(source)) > options.Value.BadKeysPerSource;
            if (prefix is not null) beyond |= Add("prefix " + prefix) > options.Value.BadKeysPerPrefix;
            return beyond ? left : null;
        }
    }

    private TimeSpan LeftOfWindow()
    {
        var left = Window - time.GetElapsedTime(_began);
        if (left > TimeSpan.Zero) return left;
        _bad.Clear();
        _began = time.GetTimestamp();
        return Window;
    }

    private int Bad(string key) =>
        _bad.TryGetValue(key, out var own) ? own : _bad.Count >= Capacity ? _bad.GetValueOrDefault(Others) : 0;

    private int Add(string key)
    {
        if (_bad.Count >= Capacity && !_bad.ContainsKey(key)) key = Others;
        return _bad[key] = _bad.GetValueOrDefault(key) + 1;
    }

    // One IPv6 customer commonly holds a whole /64.
    private static string SourceKey(IPAddress? source)
    {
        if (source is null) return "source unknown";
        if (source.IsIPv4MappedToIPv6) source = source.MapToIPv4();
        return source.AddressFamily == AddressFamily.InterNetworkV6
            ? "source " + Convert.ToHexString(source.GetAddressBytes().AsSpan(0, 8))
            : "source " + source;
    }
}
