using Darkroom.Data;
using Darkroom.Retention;
using Microsoft.Extensions.Options;

namespace Darkroom.Worker.Instances;

/// <summary>Removes the journals of runs that ended longer ago than the retention period. Every worker runs it; it is idempotent.</summary>
internal sealed partial class JournalRetentionService(
    InstanceRemover remover,
    TimeProvider time,
    IOptions<RetentionOptions> options,
    ILogger<JournalRetentionService> logger) : PeriodicService(time, logger)
{
    protected override TimeSpan Period => options.Value.Scan;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        options.Value.JournalAge is null ? Task.CompletedTask : base.ExecuteAsync(stoppingToken);

    protected override async Task RunOnceAsync(CancellationToken cancellationToken)
    {
        var age = options.Value.JournalAge!.Value;
        var removed = 0;
        try
        {
            while (await remover.ListExpiredAsync(age, options.Value.Batch, cancellationToken) is { Count: > 0 } expired)
            {
                foreach (var id in expired)
                    await remover.RemoveJournalAsync(id, cancellationToken);
                removed += expired.Count;
            }
        }
        finally
        {
            if (removed > 0)
                LogRemoved(removed, age);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Removed the journals of {Count} runs that ended more than {Age} ago")]
    private partial void LogRemoved(int count, TimeSpan age);
}
