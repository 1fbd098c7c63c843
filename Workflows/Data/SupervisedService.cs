using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Darkroom.Data;

/// <summary>
/// A background service whose loop starts again, after a pause, when an exception that nobody foresaw ends it. Without this, the exception
/// would stop the whole process.
/// </summary>
public abstract partial class SupervisedService(TimeProvider time, ILogger logger) : BackgroundService, IReportsFailure
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(30);

    // A loop that ran for longer has recovered.
    private static readonly TimeSpan Recovered = TimeSpan.FromMinutes(1);

    private long? _failedAt;

    protected TimeProvider Time { get; } = time;

    public bool IsFailing => _failedAt is { } at && Time.GetElapsedTime(at) < Recovered;

    /// <summary>Works until it is asked to stop. Called again if it throws.</summary>
    protected abstract Task RunAsync(CancellationToken stopping);

    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var failures = 1; ; failures++)
        {
            var started = Time.GetTimestamp();
            try
            {
                await RunAsync(stoppingToken);
                return;
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                if (Time.GetElapsedTime(started) > Recovered)
                    failures = 1;
                var pause = Backoff.NextDelay(failures, FirstPause, MaxPause, jitter: 0.5);
                LogFailed(e, GetType().Name, pause);
                _failedAt = Time.GetTimestamp();
                await PauseAsync(pause, stoppingToken);
            }
        }
    }

    /// <summary>Ends early when stopping: the loop then runs once more, and finishes what it has in hand.</summary>
    private async Task PauseAsync(TimeSpan pause, CancellationToken stopping)
    {
        try
        {
            await Task.Delay(pause, Time, stopping);
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Service} failed unexpectedly; it starts again in {Pause}")]
    private partial void LogFailed(Exception exception, string service, TimeSpan pause);
}
