using Darkroom.Bookmarks;
using Darkroom.Data;
using Darkroom.Engine;
using Darkroom.Leases;
using Darkroom.Runs;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Worker.Instances;

/// <summary>Claims ready workflow instances and runs as many at once as this process may.</summary>
internal sealed partial class WorkflowInstanceService(
    NpgsqlDataSource database,
    WorkflowInstanceStore instances,
    WorkflowRunner runner,
    ProcessLease process,
    TimeProvider time,
    IOptions<EngineOptions> options,
    ILogger<WorkflowInstanceService> logger) : BackgroundService
{
    private readonly SemaphoreSlim _free = new(options.Value.Concurrency, options.Value.Concurrency);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var signal = new PostgresNotificationListener(
            database, Resumption.Channel, options.Value.Poll, time, logger);
        signal.Start();
        try
        {
            while (true)
            {
                await _free.WaitAsync(stoppingToken);
                WorkflowInstance? instance = null;
                try
                {
                    instance = await ClaimAsync(stoppingToken);
                }
                finally
                {
                    // Also when stopping: whoever waits below for all places would wait for this one for ever.
                    if (instance is null) _free.Release();
                }

                if (instance is null) await WaitAsync(signal, stoppingToken);
                else _ = RunAsync(instance, signal, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Each running instance hands itself back; stopping waits for the last one.
            for (var i = 0; i < options.Value.Concurrency; i++) await _free.WaitAsync(CancellationToken.None);
        }
    }

    /// <summary>Waits for news, and at most until the next timer of an instance is due.</summary>
    private async Task WaitAsync(PostgresNotificationListener signal, CancellationToken stopping)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var timer = WakeWhenDueAsync(signal, either.Token);
        try
        {
            await signal.WaitAsync(stopping);
        }
        finally
        {
            await either.CancelAsync();
            await timer;
        }
    }

    private async Task WakeWhenDueAsync(PostgresNotificationListener signal, CancellationToken cancellationToken)
    {
        try
        {
            if (await instances.NextReadyAsync(cancellationToken) is not { } due || due > options.Value.Poll) return;
            await Task.Delay(due + Late, time, cancellationToken);
            signal.Set();
        }
        catch (Exception e) when (e is OperationCanceledException or NpgsqlException)
        {
            // News came first, or the database is away: the poll looks again.
        }
    }

    // Two clocks: a look that is a moment early would find nothing.
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(20);

    private async Task<WorkflowInstance?> ClaimAsync(CancellationToken cancellationToken)
    {
        if (process.Held.IsCancellationRequested) return null;
        try
        {
            return await instances.ClaimNextAsync(cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            LogClaimFailed(e);
            return null;
        }
    }

    private async Task RunAsync(WorkflowInstance instance, PostgresNotificationListener signal, CancellationToken stopping)
    {
        try
        {
            using var running = CancellationTokenSource.CreateLinkedTokenSource(stopping, process.Held);
            await runner.RunAsync(instance, running.Token);
        }
        catch (Exception e)
        {
            // The instance could not even be given back. It is no longer in hand, so the next look for ready ones finds it.
            LogRunFailed(e, instance.Id);
        }
        finally
        {
            _free.Release();
            signal.Set();
        }
    }

    public override void Dispose()
    {
        _free.Dispose();
        base.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Ready workflow instances could not be claimed; trying again")]
    private partial void LogClaimFailed(Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "Running workflow instance {Instance} failed unexpectedly")]
    private partial void LogRunFailed(Exception exception, Guid instance);
}
