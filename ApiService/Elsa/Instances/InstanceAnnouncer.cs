using Darkroom.Data;
using Darkroom.Runs;
using Microsoft.AspNetCore.SignalR;
using Npgsql;

namespace Darkroom.Api.Elsa.Instances;

/// <summary>
/// Wakes on every commit that changes a run, in any process, and notifies the viewers of the instances that it touched. Several
/// commits in quick succession cause one notification.
/// </summary>
internal sealed partial class InstanceAnnouncer(
    NpgsqlDataSource database,
    WorkflowInstanceReader instances,
    WatchedInstances watched,
    IHubContext<WorkflowInstanceHub> hub,
    TimeProvider time,
    ILogger<InstanceAnnouncer> logger) : SupervisedService(time, logger)
{
    /// <summary>The NOTIFY channel of the schema's triggers.</summary>
    private const string Channel = "darkroom_changes";

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(5);

    // Each event makes a viewer reload its journal, its counts and its instance.
    private static readonly TimeSpan MinInterval = TimeSpan.FromMilliseconds(500);

    protected override async Task RunAsync(CancellationToken stopping)
    {
        await using var signal = new PostgresNotificationListener(database, Channel, Poll, Time, logger);
        signal.Start();
        var known = new Dictionary<Guid, InstanceStamp>();
        try
        {
            while (true)
            {
                await signal.WaitAsync(stopping);
                known = await AnnounceAsync(known, stopping);
                await Task.Delay(MinInterval, Time, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Stopping: viewers reconnect to another process, or poll.
        }
    }

    private async Task<Dictionary<Guid, InstanceStamp>> AnnounceAsync(Dictionary<Guid, InstanceStamp> known, CancellationToken cancellationToken)
    {
        var all = watched.All();
        if (all.Count == 0)
            return [];
        try
        {
            var stamps = await instances.ReadStampsAsync([.. all.Keys], cancellationToken);
            foreach (var (id, isNew) in all)
                if (isNew || Stamp(known, id) != Stamp(stamps, id))
                    await AnnounceAsync(id, cancellationToken);
            return new Dictionary<Guid, InstanceStamp>(stamps);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // Any failure: viewers poll as well, and nothing else depends on this.
            LogFailed(e);
            return known;
        }
    }

    /// <summary>Null for an instance that is unknown or deleted.</summary>
    private static InstanceStamp? Stamp(IReadOnlyDictionary<Guid, InstanceStamp> stamps, Guid id) => stamps.TryGetValue(id, out var stamp) ? stamp : null;

    private async Task AnnounceAsync(Guid id, CancellationToken cancellationToken)
    {
        var viewers = hub.Clients.Group(WorkflowInstanceHub.Group(id));
        // Only those who may see the instance can join its group.
        if (await instances.FindHistoryAsync(InstanceScope.Everyone, id, 0, cancellationToken) is { } history)
        {
            await viewers.SendAsync("ActivityExecutionLogUpdatedAsync", new StatsView(ExecutionPresenter.Stats(history)), cancellationToken);
            await viewers.SendAsync("WorkflowExecutionLogUpdatedAsync", new { }, cancellationToken);
        }

        await viewers.SendAsync("WorkflowInstanceUpdatedAsync", new { WorkflowInstanceId = id.ToString("D") }, cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Notifying viewers of changes failed; trying again")]
    private partial void LogFailed(Exception exception);
}
