using Darkroom.Runs;
using Microsoft.AspNetCore.SignalR;

namespace Darkroom.Api.Elsa.Instances;

/// <summary>
/// Tells viewers that an instance has changed; they read the change from the API. Where several API processes share
/// one address and a connection's second request reaches another process, Studio polls instead.
/// </summary>
internal sealed class WorkflowInstanceHub(WorkflowInstanceReader instances, WatchedInstances watched) : Hub
{
    private const int MaxPerConnection = 100;

    /// <summary>The name that Studio calls.</summary>
    public async Task ObserveInstanceAsync(string instanceId)
    {
        if (!Guid.TryParse(instanceId, out var id)
            || await instances.FindSummaryAsync(Context.User!.InstanceScope(), id, Context.ConnectionAborted) is null)
            throw new HubException("There is no such workflow instance.");
        await Groups.AddToGroupAsync(Context.ConnectionId, Group(id), Context.ConnectionAborted);
        if (!watched.TryAdd(Context.ConnectionId, id, MaxPerConnection))
            throw new HubException($"One connection observes at most {MaxPerConnection} instances.");
    }

    public override Task OnDisconnectedAsync(Exception? exception)
    {
        watched.Remove(Context.ConnectionId);
        return Task.CompletedTask;
    }

    public static string Group(Guid instance) => instance.ToString("N");
}
