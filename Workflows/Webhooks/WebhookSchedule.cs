using Darkroom.Data;

namespace Darkroom.Webhooks;

/// <summary>When a delivery is retried: the Standard Webhooks schedule, ten attempts over three days.</summary>
public static class WebhookSchedule
{
    /// <summary>Maximum jitter, as a fraction of the delay, so that deliveries that failed together are not retried together.</summary>
    public const double Jitter = 0.1;

    private static readonly TimeSpan[] Delays =
    [
        TimeSpan.FromSeconds(5),
        TimeSpan.FromMinutes(5),
        TimeSpan.FromMinutes(30),
        TimeSpan.FromHours(2),
        TimeSpan.FromHours(5),
        TimeSpan.FromHours(10),
        TimeSpan.FromHours(14),
        TimeSpan.FromHours(20),
        TimeSpan.FromHours(24),
    ];

    /// <summary>Total number of attempts, including the immediate first one.</summary>
    public static int MaxAttempts => Delays.Length + 1;

    /// <summary>The delay before the next attempt, or null if there is none.</summary>
    /// <param name="failed">Failed attempts so far, at least 1.</param>
    /// <param name="random">A uniformly distributed number from 0 to 1.</param>
    /// <param name="retryAfter">The receiver's <c>Retry-After</c>; can only lengthen the delay.</param>
    /// <param name="maxRetryAfter">The upper limit for <paramref name="retryAfter"/>.</param>
    public static TimeSpan? DelayAfter(int failed, double random, TimeSpan? retryAfter, TimeSpan maxRetryAfter)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(failed, 1);
        if (failed > Delays.Length)
            return null;
        var delay = Backoff.WithJitter(Delays[failed - 1], Jitter, random);
        if (retryAfter is not { } asked)
            return delay;
        if (asked > maxRetryAfter)
            asked = maxRetryAfter;
        return asked > delay ? asked : delay;
    }
}
