using Darkroom.Engine;
using Darkroom.Schema;
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
        await using var signal = new DatabaseSignal(
            database, WorkflowInstanceStore.Channel, TimeSpan.FromSeconds(options.Value.PollSeconds), time, logger);
        signal.Start();
        try
        {
            while (true)
            {
                await _free.WaitAsync(stoppingToken);
                var instance = await ClaimAsync(stoppingToken);
                if (instance is null)
                {
                    _free.Release();
                    await signal.WaitAsync(stoppingToken);
                }
                else
                {
                    _ = RunAsync(instance, signal, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Each running instance hands itself back; stopping waits for the last one.
            for (var i = 0; i < options.Value.Concurrency; i++) await _free.WaitAsync(CancellationToken.None);
        }
    }

    private async Task<WorkflowInstance?> ClaimAsync(CancellationToken cancellation)
    {
        if (process.Held.IsCancellationRequested) return null;
        try
        {
            return await instances.ClaimNextAsync(cancellation);
        }
        catch (NpgsqlException e)
        {
            LogClaimFailed(e);
            return null;
        }
    }

    private async Task RunAsync(WorkflowInstance instance, DatabaseSignal signal, CancellationToken stopping)
    {
        try
        {
            using var running = CancellationTokenSource.CreateLinkedTokenSource(stopping, process.Held);
            await runner.RunAsync(instance, running.Token);
        }
        catch (Exception e)
        {
            LogRunFailed(e, instance.Id);
            await PostponeAsync(instance, stopping);
        }
        finally
        {
            _free.Release();
            signal.Set();
        }
    }

    /// <summary>
    /// An instance that this process owns and nobody runs would stand still as long as the process lives. So it is given back, with a
    /// pause, until that succeeds or the lease is lost.
    /// </summary>
    private async Task PostponeAsync(WorkflowInstance instance, CancellationToken stopping)
    {
        var pause = TimeSpan.FromSeconds(options.Value.LongestRetrySeconds / 10);
        using var held = CancellationTokenSource.CreateLinkedTokenSource(stopping, process.Held);
        while (!held.IsCancellationRequested)
        {
            try
            {
                await instances.ReleaseAsync(instance, pause, held.Token);
                return;
            }
            catch (NpgsqlException e)
            {
                LogClaimFailed(e);
                await Task.Delay(TimeSpan.FromSeconds(1), time, held.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (held.IsCancellationRequested)
            {
                return;
            }
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
