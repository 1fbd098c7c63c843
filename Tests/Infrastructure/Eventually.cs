using System.Diagnostics;

namespace Darkroom.Tests.Infrastructure;

/// <summary>Polls for a state that cannot be signalled to this process, such as a row written by another process or a page's text.</summary>
internal static class Eventually
{
    /// <summary>How long tests wait for what must happen, however busy the machine is.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>Polls until the result satisfies the condition, and returns it. When its patience is over, fails with the last result.</summary>
    public static async Task<T> GetAsync<T>(Func<Task<T>> poll, Func<T, bool> condition, string claim, TimeSpan? patience = null)
    {
        var limit = patience ?? Patience;
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var result = await poll();
            if (condition(result))
                return result;
            if (clock.Elapsed > limit)
                throw new TimeoutException($"{claim}: not within {limit}; the last result was {result}.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    /// <summary>Polls until the condition is true.</summary>
    public static Task TrueAsync(Func<Task<bool>> condition) => GetAsync(condition, isTrue => isTrue, "The condition holds");
}
