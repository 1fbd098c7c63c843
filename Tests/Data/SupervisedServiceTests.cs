using Darkroom.Data;
using Darkroom.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Darkroom.Tests.Data;

public sealed class SupervisedServiceTests
{
    [Fact]
    public async Task A_loop_that_fails_starts_again_and_is_reported_until_it_has_run_for_a_while()
    {
        using var time = new SteppedTime();
        using var service = new Failing(time, failures: 2);
        await using var services = new ServiceCollection()
            .AddLogging()
            .AddSingleton<IHostedService>(service)
            .AddBackgroundHealthCheck()
            .BuildServiceProvider();
        var health = services.GetRequiredService<HealthCheckService>();
        Assert.Equal(HealthStatus.Healthy, (await health.CheckHealthAsync()).Status);

        await service.StartAsync(default);
        await service.NextAsync();
        for (var restart = 0; restart < 2; restart++)
        {
            await time.StepAsync(TimeSpan.FromSeconds(5));
            await service.NextAsync();
        }

        var degraded = await health.CheckHealthAsync();
        Assert.Equal(HealthStatus.Degraded, degraded.Status);
        Assert.Contains(nameof(Failing), degraded.Entries["background"].Description, StringComparison.Ordinal);
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(HealthStatus.Healthy, (await health.CheckHealthAsync()).Status);

        await service.StopAsync(default);
        Assert.True(service.ExecuteTask!.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task A_loop_that_is_asked_to_stop_while_it_pauses_gets_to_finish()
    {
        using var time = new SteppedTime();
        using var service = new Failing(time, failures: 1);
        await service.StartAsync(default);
        await service.NextAsync();
        // The pause has begun.
        await Eventually.TrueAsync(() => Task.FromResult(service.IsFailing));

        await service.StopAsync(default);

        Assert.True(service.Finished);
    }

    private sealed class Failing(TimeProvider time, int failures) : SupervisedService(time, NullLogger.Instance)
    {
        private readonly SemaphoreSlim _started = new(0);
        private int _runs;

        public bool Finished { get; private set; }

        public async Task NextAsync() => Assert.True(await _started.WaitAsync(Eventually.Patience));

        public override void Dispose()
        {
            _started.Dispose();
            base.Dispose();
        }

        protected override async Task RunAsync(CancellationToken stopping)
        {
            _started.Release();
            if (++_runs <= failures)
                throw new InvalidCastException("Nobody foresaw this.");
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, Time, stopping);
            }
            catch (OperationCanceledException)
            {
                Finished = true;
            }
        }
    }
}
