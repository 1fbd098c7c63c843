using Darkroom.Leases;
using Darkroom.Queue;
using Microsoft.Extensions.Options;

namespace Darkroom.Worker.Queue;

/// <summary>Looks regularly for what crashes left behind; at a graceful stop hands back what this process still has.</summary>
internal sealed partial class ReconcilerService(
    ImageReconciler reconciler,
    TimeProvider time,
    IOptions<ProcessLeaseOptions> options,
    ILogger<ReconcilerService> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await ReconcileAsync(stoppingToken);
            await Task.Delay(options.Value.Scan, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await reconciler.HandBackEverythingAsync(cancellationToken);
        }
        catch (Exception e)
        {
            // Others free them as soon as this process' row is gone.
            LogFailed(e);
        }
    }

    private async Task ReconcileAsync(CancellationToken stopping)
    {
        try
        {
            await reconciler.ReconcileAsync(stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Stopping: others reconcile.
        }
        catch (Exception e)
        {
            LogFailed(e);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Images could not be reconciled; trying again")]
    private partial void LogFailed(Exception exception);
}
