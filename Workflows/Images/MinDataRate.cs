using Darkroom.Egress;

namespace Darkroom.Images;

/// <summary>
/// Cancels a response body that arrives too slowly. After a grace period the average rate must stay above the minimum, so every
/// read extends the deadline for the next.
/// </summary>
internal sealed class MinDataRate : IDisposable
{
    private readonly EgressOptions _options;
    private readonly CancellationTokenSource _tooSlow;

    public MinDataRate(EgressOptions options, TimeProvider time)
    {
        _options = options;
        _tooSlow = new CancellationTokenSource(options.MinBytesPerSecond > 0 ? options.MinRateAfter : Timeout.InfiniteTimeSpan, time);
    }

    public CancellationToken TooSlow => _tooSlow.Token;

    public void Received(long bytes, TimeSpan elapsed)
    {
        if (_options.MinBytesPerSecond <= 0)
            return;
        var left = Deadline(bytes, _options) - elapsed;
        _tooSlow.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);
    }

    /// <summary>The time after the start at which this many bytes are no longer enough.</summary>
    internal static TimeSpan Deadline(long bytes, EgressOptions options)
    {
        // At most a day, so that a fast sender cannot overflow the timer.
        var seconds = Math.Min(bytes / options.MinBytesPerSecond, 86_400);
        return TimeSpan.FromSeconds(Math.Max(seconds, options.MinRateAfter.TotalSeconds));
    }

    public void Dispose() => _tooSlow.Dispose();
}
