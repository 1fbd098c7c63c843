using Microsoft.Extensions.Time.Testing;

namespace Darkroom.Tests.Infrastructure;

/// <summary>A clock for one loop: <see cref="StepAsync"/> advances it only once the loop is waiting, so no step is lost while the loop is busy.</summary>
internal sealed class SteppedTime : FakeTimeProvider, IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly SemaphoreSlim _waits = new(0);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        _waits.Release();
        return timer;
    }

    /// <summary>Waits until the loop is waiting, then advances the clock.</summary>
    public async Task StepAsync(TimeSpan step)
    {
        Assert.True(await _waits.WaitAsync(Timeout), "The loop is not waiting.");
        Advance(step);
    }

    public void Dispose() => _waits.Dispose();
}
