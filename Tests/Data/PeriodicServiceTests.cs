using Darkroom.Data;
using Darkroom.Tests.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;

namespace Darkroom.Tests.Data;

public sealed class PeriodicServiceTests
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task It_runs_when_it_starts_and_again_after_each_period()
    {
        using var time = new SteppedTime();
        using var service = new Counting(time, _ => Task.CompletedTask);

        await service.StartAsync(default);
        await service.NextAsync();
        await time.StepAsync(Every);
        await service.NextAsync();
        await time.StepAsync(Every);
        await service.NextAsync();

        await service.StopAsync(default);
        Assert.Equal(3, service.Runs);
    }

    [Fact]
    public async Task A_failure_is_followed_by_another_run_and_later_ones_wait_longer()
    {
        using var time = new SteppedTime();
        using var service = new Counting(time, run => run <= 2 ? throw new InvalidOperationException("unavailable") : Task.CompletedTask);

        await service.StartAsync(default);
        await service.NextAsync();
        await time.StepAsync(Every);
        await service.NextAsync();
        // Half of the delay after two failures.
        await time.StepAsync(Every);
        Assert.Equal(2, service.Runs);
        time.Advance(Every);
        await service.NextAsync();
        await time.StepAsync(Every);
        await service.NextAsync();

        await service.StopAsync(default);
        Assert.Equal(4, service.Runs);
    }

    [Fact]
    public async Task Stopping_cancels_a_waiting_run_and_is_not_a_failure()
    {
        using var time = new SteppedTime();
        using var service = new Counting(time, _ => Task.CompletedTask) { Blocks = true };
        await service.StartAsync(default);
        await service.NextAsync();

        await service.StopAsync(default);

        Assert.True(service.ExecuteTask!.IsCompletedSuccessfully);
    }

    [Theory]
    [InlineData(0, 5, 5)]
    [InlineData(1, 5, 5)]
    [InlineData(2, 5, 10)]
    [InlineData(3, 5, 15)]
    [InlineData(100, 5, 15)]
    [InlineData(100, 600, 600)]
    public void The_wait_grows_with_failures_but_never_far_beyond_the_period(int failures, double period, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), PeriodicService.NextDelay(failures, TimeSpan.FromSeconds(period)));

    private sealed class Counting(TimeProvider time, Func<int, Task> run) : PeriodicService(time, NullLogger.Instance)
    {
        private readonly SemaphoreSlim _ran = new(0);
        private int _runs;

        public int Runs => Volatile.Read(ref _runs);
        public bool Blocks { get; init; }

        protected override TimeSpan Period => Every;

        public async Task NextAsync() => Assert.True(await _ran.WaitAsync(Eventually.Patience));

        protected override async Task RunOnceAsync(CancellationToken cancellationToken)
        {
            var number = Interlocked.Increment(ref _runs);
            _ran.Release();
            await run(number);
            if (Blocks)
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }

        public override void Dispose()
        {
            _ran.Dispose();
            base.Dispose();
        }
    }
}
