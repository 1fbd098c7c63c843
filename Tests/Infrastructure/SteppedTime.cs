using Microsoft.Extensions.Time.Testing;

namespace Darkroom.Tests.Infrastructure;

/// <summary>A clock for one loop that waits by it: it moves on when the loop waits, so no step passes while the loop is busy, however long that takes.</summary>
internal sealed class SteppedTime : FakeTimeProvider, IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly SemaphoreSlim _waits = new(0);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        _waits.Release();
        return timer;
    }

    /// <summary>Lets the loop's next wait end.</summary>
    public async Task StepAsync(TimeSpan step)
    {
        Assert.True(await _waits.WaitAsync(Limit), "The loop waits for nothing.");
        Advance(step);
    }

    public void Dispose() => _waits.Dispose();
}
