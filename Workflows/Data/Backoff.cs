namespace Darkroom.Data;

/// <summary>Exponential back-off.</summary>
public static class Backoff
{
    /// <summary>How far a delay is moved at most, as a part of it: what failed together does not return together.</summary>
    private const double Spread = 0.125;

    /// <summary>The wait after attempt number <paramref name="attempt"/>, from 1: doubled each time, and capped before it is spread.</summary>
    /// <param name="first">The wait after the first attempt.</param>
    /// <param name="longest">The cap.</param>
    /// <param name="jitter">Evenly from 0 to 1; 0.5 leaves the wait as it is.</param>
    public static TimeSpan NextDelay(int attempt, TimeSpan first, TimeSpan longest, double jitter)
    {
        var seconds = Math.Min(longest.TotalSeconds, first.TotalSeconds * Math.Pow(2, Math.Clamp(attempt - 1, 0, 30)));
        return WithJitter(TimeSpan.FromSeconds(seconds), Spread, jitter);
    }

    /// <summary>Moves a delay by up to <paramref name="spread"/> of it, either way.</summary>
    /// <param name="jitter">Evenly from 0 to 1; 0.5 leaves the delay as it is.</param>
    public static TimeSpan WithJitter(TimeSpan delay, double spread, double jitter) => delay * (1 - spread + (2 * spread * jitter));
}
