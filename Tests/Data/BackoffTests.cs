using Darkroom.Data;

namespace Darkroom.Tests.Data;

public sealed class BackoffTests
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(300);

    [Theory]
    [InlineData(0, 2)]
    [InlineData(1, 2)]
    [InlineData(2, 4)]
    [InlineData(8, 256)]
    [InlineData(9, 300)]
    [InlineData(int.MaxValue, 300)]
    public void The_wait_doubles_up_to_the_longest(int attempt, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Backoff.NextDelay(attempt, First, Longest, jitter: 0.5));

    [Theory]
    [InlineData(0, 1.75)]
    [InlineData(1, 2.25)]
    public void Jitter_moves_the_wait_by_an_eighth_either_way(double jitter, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Backoff.NextDelay(1, First, Longest, jitter));
}
