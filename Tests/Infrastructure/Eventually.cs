using System.Diagnostics;

namespace Darkroom.Tests.Infrastructure;

/// <summary>Waits for a state of the world that nobody can signal to this process: another process' row, a page's text.</summary>
internal static class Eventually
{
    /// <summary>Asks until the answer satisfies, and returns it; fails with the last answer after the time-out.</summary>
    public static async Task<T> GetAsync<T>(Func<Task<T>> ask, Func<T, bool> satisfies, TimeSpan timeout, string claim)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var answer = await ask();
            if (satisfies(answer)) return answer;
            if (clock.Elapsed > timeout) throw new TimeoutException($"{claim}: not within {timeout}; the last answer was {answer}.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    /// <summary>Asks until it is so.</summary>
    public static Task TrueAsync(Func<Task<bool>> condition) => GetAsync(condition, isTrue => isTrue, TimeSpan.FromSeconds(60), "The condition holds");
}
