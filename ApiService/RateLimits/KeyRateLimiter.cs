namespace Darkroom.Api.RateLimits;

/// <summary>Limits the calls of each API key: in Redis for all processes together, or in this process while Redis does not respond.</summary>
internal sealed class KeyRateLimiter(LocalBuckets local, SharedBuckets? shared)
{
    /// <summary>Counts a call of the key with this prefix.</summary>
    public async ValueTask<BucketReading> TakeAsync(string prefix)
    {
        // Always counted here too, so that an outage of Redis does not refill every bucket.
        var own = local.Take(prefix);
        // What is refused here is not asked about there: all processes together cannot have more left, and a crowd that is refused must cost little.
        return own.Taken && shared is not null && await shared.TakeAsync(prefix) is { } common ? common : own;
    }
}
