using Darkroom.Data;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Darkroom.Api.RateLimits;

/// <summary>
/// The buckets of all processes, in Redis. No call waits longer than <see cref="RateLimitOptions.RedisTimeout"/>, and after one has waited in
/// vain, none waits at all until <see cref="ProbeAsync"/> has found that Redis responds.
/// </summary>
internal sealed partial class SharedBuckets(IServiceProvider services, IOptions<RateLimitOptions> options, TimeProvider time, ILogger<SharedBuckets> logger)
{
    private static readonly EmbeddedScript Script = new(typeof(SharedBuckets), "take");

    private readonly TokenBucket _bucket = TokenBucket.Of(options.Value);
    private volatile IDatabase? _redis;
    private volatile bool _responds;
    private bool _reported;

    /// <summary>Whether buckets are currently taken from Redis.</summary>
    public bool InUse => _responds;

    /// <summary>Takes a token, or returns null if Redis does not respond.</summary>
    public async ValueTask<BucketReading?> TakeAsync(string key)
    {
        if (!_responds || _redis is not { } redis)
            return null;
        try
        {
            var take = Script.RunAsync(redis, [$"darkroom:rate:{key}"], [_bucket.Interval, _bucket.Capacity]);
            var result = (RedisResult[])(await take.WaitAsync(options.Value.RedisTimeout, time))!;
            return _bucket.Read((int)result[0] == 1, (long)result[1]);
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            Lose(e);
            return null;
        }
    }

    /// <summary>Takes Redis into use if it responds.</summary>
    public async Task ProbeAsync(CancellationToken cancellationToken)
    {
        if (_responds)
            return;
        try
        {
            // The first use of the client connects, and blocks its thread meanwhile.
            _redis ??= await Task.Run(() => services.GetRequiredService<IConnectionMultiplexer>().GetDatabase(), cancellationToken);
            await _redis.PingAsync().WaitAsync(options.Value.RedisTimeout, time, cancellationToken);
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            Lose(e);
            return;
        }

        _responds = true;
        if (_reported)
            LogRecovered();
        _reported = false;
    }

    private void Lose(Exception exception)
    {
        _responds = false;
        // Once, although many calls may have been waiting.
        if (!Interlocked.Exchange(ref _reported, true))
            LogLost(exception);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Redis does not respond; until it does, this process counts calls by itself, so each process allows the whole rate limit")]
    private partial void LogLost(Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Redis responds again and counts calls for all processes")]
    private partial void LogRecovered();
}

/// <summary>Looks whether Redis has come back.</summary>
internal sealed class SharedBucketsProbe(SharedBuckets buckets, IOptions<RateLimitOptions> options, TimeProvider time, ILogger<SharedBucketsProbe> logger)
    : PeriodicService(time, logger)
{
    protected override TimeSpan Period => options.Value.RedisRetry;

    protected override Task RunOnceAsync(CancellationToken cancellationToken) => buckets.ProbeAsync(cancellationToken);
}
