using Darkroom.Data;

namespace Darkroom.Webhooks;

/// <summary>When a delivery is tried again: the Standard Webhooks schedule, ten attempts over three days.</summary>
public static class WebhookSchedule
{
    /// <summary>How far a delay is moved at most, as a part of it: receivers that failed together are not called back together.</summary>
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

    /// <summary>Attempts in all, the first at once.</summary>
    public static int MaxAttempts => Delays.Length + 1;

    /// <summary>The delay after so many failed attempts, or null if that was the last.</summary>
    /// <param name="failed">Failed attempts so far, at least 1.</param>
    /// <param name="random">Evenly from 0 to 1.</param>
    /// <param name="retryAfter">What the receiver asked for; only ever lengthens the delay.</param>
    /// <param name="maxRetryAfter">The longest wait that a receiver may ask for.</param>
    public static TimeSpan? DelayAfter(int failed, double random, TimeSpan? retryAfter, TimeSpan maxRetryAfter)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(failed, 1);
        if (failed > Delays.Length) return null;
        var delay = Backoff.WithJitter(Delays[failed - 1], Jitter, random);
        if (retryAfter is not { } asked) return delay;
        if (asked > maxRetryAfter) asked = maxRetryAfter;
        return asked > delay ? asked : delay;
    }
}
