using Darkroom.Queue;

namespace Darkroom.Tests.Queue;

public sealed class ExclusiveGateTests
{
    private readonly ExclusiveGate _gate = new();

    [Fact]
    public void Ordinary_images_run_concurrently()
    {
        Assert.True(_gate.EnterAsync(alone: false).IsCompleted);
        Assert.True(_gate.EnterAsync(alone: false).IsCompleted);
    }

    [Fact]
    public void A_suspect_waits_for_running_images_and_blocks_later_ones()
    {
        _ = _gate.EnterAsync(alone: false);
        var suspect = _gate.EnterAsync(alone: true);
        var later = _gate.EnterAsync(alone: false);
        Assert.False(suspect.IsCompleted);
        Assert.False(later.IsCompleted);

        _gate.Leave();
        Assert.True(suspect.IsCompleted);
        Assert.False(later.IsCompleted);

        _gate.Leave();
        Assert.True(later.IsCompleted);
    }

    [Fact]
    public void Two_suspects_never_run_together()
    {
        var first = _gate.EnterAsync(alone: true);
        var second = _gate.EnterAsync(alone: true);
        Assert.True(first.IsCompleted);
        Assert.False(second.IsCompleted);

        _gate.Leave();
        Assert.True(second.IsCompleted);
    }
}
