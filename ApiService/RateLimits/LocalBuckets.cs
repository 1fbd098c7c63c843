using Microsoft.Extensions.Options;

namespace Darkroom.Api.RateLimits;

/// <summary>The buckets of the keys that have called this process.</summary>
internal sealed class LocalBuckets(TimeProvider time, IOptions<RateLimitOptions> options)
{
    // Only valid keys get here, so there is one entry for each that has been used in the time in which a bucket refills.
    private const int SweepAfter = 1_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _fullAt = [];
    private readonly TokenBucket _bucket = TokenBucket.Of(options.Value);
    private readonly long _origin = time.GetTimestamp();
    private int _sweepAt = SweepAfter;

    /// <summary>Keys whose buckets are remembered. A bucket that is full is forgotten.</summary>
    public int Tracked
    {
        get
        {
            lock (_lock)
                return _fullAt.Count;
        }
    }

    public BucketReading Take(string key)
    {
        lock (_lock)
        {
            var now = Now();
            var reading = _bucket.Take(_fullAt.GetValueOrDefault(key, now) - now);
            _fullAt[key] = now + reading.Missing;
            if (_fullAt.Count > _sweepAt)
                Sweep(now);
            return reading;
        }
    }

    private void Sweep(long now)
    {
        foreach (var (key, fullAt) in _fullAt)
            if (fullAt <= now)
                _fullAt.Remove(key);
        _sweepAt = _fullAt.Count + SweepAfter;
    }

    private long Now() => time.GetElapsedTime(_origin).Ticks / TimeSpan.TicksPerMicrosecond;
}
