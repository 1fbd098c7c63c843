namespace Darkroom.Api.RateLimits;

/// <summary>A bucket of tokens, one per call, that refills steadily.</summary>
/// <param name="Capacity">Tokens in a full bucket.</param>
/// <param name="Interval">Microseconds in which one token is refilled.</param>
internal readonly record struct TokenBucket(int Capacity, long Interval)
{
    private const long MicrosecondsPerMinute = 60_000_000;

    /// <summary>Microseconds in which an empty bucket is refilled.</summary>
    public long FullTime => Capacity * Interval;

    public static TokenBucket Of(RateLimitOptions options) => new(options.Burst, MicrosecondsPerMinute / options.RequestsPerMinute);

    /// <summary>Takes a token from a bucket that is full again in <paramref name="missing"/> microseconds.</summary>
    public BucketReading Take(long missing)
    {
        missing = Math.Clamp(missing, 0, FullTime);
        return missing + Interval > FullTime ? Read(taken: false, missing) : Read(taken: true, missing + Interval);
    }

    /// <param name="taken">Whether a token was taken.</param>
    /// <param name="missing">Microseconds until the bucket is full, after that.</param>
    public BucketReading Read(bool taken, long missing)
    {
        var remaining = (FullTime - missing) / Interval;
        return new BucketReading(taken, (int)remaining, TimeSpan.FromMicroseconds(missing - ((Capacity - remaining - 1) * Interval)), missing);
    }
}

/// <summary>A bucket after a call.</summary>
/// <param name="Taken">Whether the call got a token.</param>
/// <param name="Remaining">Whole tokens that are left.</param>
/// <param name="NextIn">Time until there is one more.</param>
/// <param name="Missing">Microseconds until the bucket is full.</param>
internal readonly record struct BucketReading(bool Taken, int Remaining, TimeSpan NextIn, long Missing);
