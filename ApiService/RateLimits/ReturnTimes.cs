using Microsoft.Extensions.Options;

namespace Darkroom.Api.RateLimits;

/// <summary>
/// Tells the refused callers of a key or an owner when to come back: one after another, as fast as a bucket refills. Told the same time, a crowd would
/// come back together, only to be refused again.
/// </summary>
internal sealed class ReturnTimes(TimeProvider time, IOptions<RateLimitOptions> options)
{
    private const int SweepAfter = 1_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, TimeSpan> _next = [];
    private readonly TimeSpan _interval = TimeSpan.FromMicroseconds(TokenBucket.Of(options.Value).Interval);
    private readonly long _origin = time.GetTimestamp();
    private int _sweepAt = SweepAfter;

    /// <summary>How long the next refused caller should wait: at least until a token is there, at most the configured limit.</summary>
    public TimeSpan Take(string key, TimeSpan nextToken)
    {
        lock (_lock)
        {
            var now = time.GetElapsedTime(_origin);
            var at = _next.TryGetValue(key, out var next) && next > now + nextToken ? next : now + nextToken;
            var latest = now + options.Value.MaxRetryAfter;
            if (at > latest && latest > now + nextToken)
                at = latest;
            _next[key] = at + _interval;
            if (_next.Count > _sweepAt)
                Sweep(now);
            return at - now;
        }
    }

    private void Sweep(TimeSpan now)
    {
        foreach (var (key, next) in _next)
            if (next <= now)
                _next.Remove(key);
        _sweepAt = _next.Count + SweepAfter;
    }
}
