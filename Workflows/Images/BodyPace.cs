using Darkroom.Egress;

namespace Darkroom.Images;

/// <summary>
/// Cancels a body that trickles. After a grace period the average rate since the first byte must reach the minimum; every
/// piece that arrives moves the moment by which the next must have come.
/// </summary>
internal sealed class BodyPace : IDisposable
{
    private readonly EgressOptions _options;
    private readonly CancellationTokenSource _tooSlow;

    public BodyPace(EgressOptions options, TimeProvider time)
    {
        _options = options;
        _tooSlow = new CancellationTokenSource(options.MinBytesPerSecond > 0 ? options.MinRateAfter : Timeout.InfiniteTimeSpan, time);
    }

    public CancellationToken TooSlow => _tooSlow.Token;

    public void Received(long bytes, TimeSpan elapsed)
    {
        if (_options.MinBytesPerSecond <= 0) return;
        var left = LatestNext(bytes, _options) - elapsed;
        _tooSlow.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);
    }

    /// <summary>The time after the start at which so many bytes are no longer enough.</summary>
    internal static TimeSpan LatestNext(long bytes, EgressOptions options)
    {
        // No more than a day: a fast sender must not overflow the timer.
        var seconds = Math.Min(bytes / options.MinBytesPerSecond, 86_400);
        return TimeSpan.FromSeconds(Math.Max(seconds, options.MinRateAfter.TotalSeconds));
    }

    public void Dispose() => _tooSlow.Dispose();
}
