using Darkroom.Data;
using Darkroom.Runs;
using Microsoft.AspNetCore.SignalR;

namespace Darkroom.Api.Elsa.Instances;

/// <summary>
/// Looks for changes of the instances that somebody watches, twice a second, and notifies their viewers. No notification comes with the commits
/// themselves: Postgres would make them wait for one another, although most instances are never watched.
/// </summary>
internal sealed class InstanceAnnouncer(
    WorkflowInstanceReader instances,
    WatchedInstances watched,
    IHubContext<WorkflowInstanceHub> hub,
    TimeProvider time,
    ILogger<InstanceAnnouncer> logger) : PeriodicService(time, logger)
{
    private static readonly TimeSpan Resend = TimeSpan.FromSeconds(5);

    private IReadOnlyDictionary<Guid, InstanceStamp> _known = new Dictionary<Guid, InstanceStamp>();
    private long? _resent;

    // Each event makes a viewer reload its journal, its counts and its instance.
    protected override TimeSpan Period => TimeSpan.FromMilliseconds(500);

    protected override async Task RunOnceAsync(CancellationToken cancellationToken)
    {
        var all = watched.All();
        var stamps = all.Count == 0 ? new Dictionary<Guid, InstanceStamp>() : await instances.ReadStampsAsync([.. all.Keys], cancellationToken);
        var resend = _resent is not { } resent || Time.GetElapsedTime(resent) >= Resend;
        foreach (var (id, isNew) in all)
            if ((isNew && resend) || Stamp(_known, id) != Stamp(stamps, id))
                await AnnounceAsync(id, cancellationToken);
        _known = stamps;
        if (resend)
            _resent = Time.GetTimestamp();
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
}
