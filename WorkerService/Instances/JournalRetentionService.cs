using Darkroom.Retention;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Worker.Instances;

/// <summary>Removes the journals of runs that ended longer ago than they are to be kept. Every worker does it; doing it twice changes nothing.</summary>
internal sealed partial class JournalRetentionService(
    InstanceRemover remover,
    TimeProvider time,
    IOptions<RetentionOptions> options,
    ILogger<JournalRetentionService> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Value.JournalAge is not { } age) return;
        while (!stoppingToken.IsCancellationRequested)
        {
            await SweepAsync(age, stoppingToken);
            await Task.Delay(options.Value.Scan, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task SweepAsync(TimeSpan age, CancellationToken stopping)
    {
        var removed = 0;
        try
        {
            while (await remover.ListExpiredAsync(age, options.Value.Batch, stopping) is { Count: > 0 } expired)
            {
                foreach (var id in expired) await remover.RemoveJournalAsync(id, stopping);
                removed += expired.Count;
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Stopping: another worker goes on, or this one after its next start.
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            LogFailed(e);
        }

        if (removed > 0) LogRemoved(removed, age);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Removed the journals of {Count} runs that ended more than {Age} ago")]
    private partial void LogRemoved(int count, TimeSpan age);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Old journals could not be removed; trying again at the next look")]
    private partial void LogFailed(Exception exception);
}
