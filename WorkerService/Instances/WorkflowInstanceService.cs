using Darkroom.Bookmarks;
using Darkroom.Data;
using Darkroom.Engine;
using Darkroom.Leases;
using Darkroom.Runs;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Worker.Instances;

/// <summary>Claims ready workflow instances and runs them, up to the configured concurrency.</summary>
internal sealed partial class WorkflowInstanceService(
    NpgsqlDataSource database,
    WorkflowInstanceStore instances,
    WorkflowRunner runner,
    ProcessLease process,
    TimeProvider time,
    IOptions<EngineOptions> options,
    IOptions<ProcessLeaseOptions> lease,
    ILogger<WorkflowInstanceService> logger) : SupervisedService(time, logger)
{
    // The database's clock may differ slightly from ours: claiming a moment too early would find nothing.
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromMilliseconds(20);

    private readonly SemaphoreSlim _free = new(options.Value.Concurrency, options.Value.Concurrency);
    private long _scanned;
    private volatile bool _mustScan = true;

    protected override async Task RunAsync(CancellationToken stopping)
    {
        await using var signal = new PostgresNotificationListener(
            database, Resumption.Channel, options.Value.Poll, Time, logger);
        signal.Start();
        try
        {
            while (true)
            {
                await _free.WaitAsync(stopping);
                WorkflowInstance? instance = null;
                try
                {
                    instance = await ClaimAsync(stopping);
                }
                finally
                {
                    // Even when stopping: the loop below waits for all slots, and would otherwise hang.
                    if (instance is null)
                        _free.Release();
                }

                if (instance is null)
                    await WaitAsync(signal, stopping);
                else
                    _ = RunAsync(instance, signal, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Each running instance hands itself back; stopping waits for the last one.
            for (var i = 0; i < options.Value.Concurrency; i++)
                await _free.WaitAsync(CancellationToken.None);
        }
    }

    /// <summary>Waits for a notification, or until the next instance timer is due.</summary>
    private async Task WaitAsync(PostgresNotificationListener signal, CancellationToken stopping)
    {
        var wait = options.Value.Poll;
        try
        {
            // Not abandoned when a notification comes meanwhile, as most do under load: Postgres starts a process to cancel a query.
            if (await instances.NextReadyAsync(stopping) is { } due && due + ClockTolerance < wait)
                wait = due + ClockTolerance;
        }
        catch (NpgsqlException)
        {
            // The database is unavailable, and the next poll tries again.
        }

        await signal.WaitAsync(wait, stopping);
    }

    private async Task<WorkflowInstance?> ClaimAsync(CancellationToken cancellationToken)
    {
        if (process.Held.IsCancellationRequested)
            return null;
        try
        {
            if (_mustScan || Time.GetElapsedTime(_scanned) >= lease.Value.Scan)
                await FreeAbandonedAsync(cancellationToken);
            return await instances.ClaimNextAsync(cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            LogClaimFailed(e);
            // It may have been committed although its response was lost.
            _mustScan = true;
            return null;
        }
    }

    private async Task FreeAbandonedAsync(CancellationToken cancellationToken)
    {
        _mustScan = false;
        if (await instances.FreeAbandonedAsync(cancellationToken) is > 0 and var freed)
            LogFreed(freed);
        _scanned = Time.GetTimestamp();
    }

    private async Task RunAsync(WorkflowInstance instance, PostgresNotificationListener signal, CancellationToken stopping)
    {
        try
        {
            using var running = CancellationTokenSource.CreateLinkedTokenSource(stopping, instance.Held);
            await runner.RunAsync(instance, running.Token);
        }
        catch (Exception e)
        {
            // The instance could not even be handed back. Its claim is no longer in use here, so the next scan frees it.
            LogRunFailed(e, instance.Id);
            _mustScan = true;
            signal.Set();
        }
        finally
        {
            _free.Release();
            if (instances.PassesOver)
                signal.Set();
        }
    }

    public override void Dispose()
    {
        _free.Dispose();
        base.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Ready workflow instances could not be claimed; retrying")]
    private partial void LogClaimFailed(Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Freed {Count} abandoned claims of workflow instances")]
    private partial void LogFreed(int count);

    [LoggerMessage(Level = LogLevel.Error, Message = "Running workflow instance {Instance} failed unexpectedly")]
    private partial void LogRunFailed(Exception exception, Guid instance);
}
