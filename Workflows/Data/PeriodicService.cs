using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Darkroom.Data;

/// <summary>A background service that does one thing when it starts, and again every so often. A failure is logged, and ends nothing.</summary>
public abstract partial class PeriodicService(TimeProvider time, ILogger logger) : BackgroundService, IReportsFailure
{
    // A dependency that is away is asked less and less often, but its return is noticed within this time.
    private static readonly TimeSpan MaxBackoff = TimeSpan.FromSeconds(15);

    private volatile int _failures;

    protected TimeProvider Time { get; } = time;

    /// <summary>Whether several runs in a row have failed.</summary>
    public bool IsFailing => _failures >= 3;

    /// <summary>Time from the end of one run to the start of the next.</summary>
    protected abstract TimeSpan Period { get; }

    protected abstract Task RunOnceAsync(CancellationToken cancellationToken);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                _failures = await TryRunAsync(_failures, stoppingToken) ? 0 : _failures + 1;
                await Task.Delay(NextDelay(_failures, Period), Time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping: other processes go on, or this one after its next start.
        }
    }

    /// <param name="failures">Runs that failed since the last good one.</param>
    internal static TimeSpan NextDelay(int failures, TimeSpan period) => failures == 0
        ? period
        : Backoff.NextDelay(failures, period, period > MaxBackoff ? period : MaxBackoff, jitter: 0.5);

    private async Task<bool> TryRunAsync(int failures, CancellationToken stopping)
    {
        try
        {
            await RunOnceAsync(stopping);
            return true;
        }
        catch (Exception e) when (!stopping.IsCancellationRequested)
        {
            LogFailed(e, GetType().Name, NextDelay(failures + 1, Period));
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Service} failed; trying again in {Delay}")]
    private partial void LogFailed(Exception exception, string service, TimeSpan delay);
}
