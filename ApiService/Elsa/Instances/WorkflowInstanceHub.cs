using Darkroom.Runs;
using Microsoft.AspNetCore.SignalR;

namespace Darkroom.Api.Elsa.Instances;

/// <summary>
/// Tells viewers that an instance has changed; what it has changed to they read from the API. Where several API processes share
/// one address and a connection's second half comes to another process, Studio polls instead.
/// </summary>
internal sealed class WorkflowInstanceHub(WorkflowInstanceReader instances, WatchedInstances watched) : Hub
{
    private const int MostPerConnection = 100;

    /// <summary>Studio calls it by this name.</summary>
    public async Task ObserveInstanceAsync(string instanceId)
    {
        if (!Guid.TryParse(instanceId, out var id)
            || await instances.FindSummaryAsync(Context.User!.InstanceScope(), id, Context.ConnectionAborted) is null)
            throw new HubException("There is no such workflow instance.");
        await Groups.AddToGroupAsync(Context.ConnectionId, Group(id), Context.ConnectionAborted);
        if (!watched.TryAdd(Context.ConnectionId, id, MostPerConnection))
            throw new HubException($"One connection observes at most {MostPerConnection} instances.");
    }

    public override Task OnDisconnectedAsync(Exception? exception)
    {
        watched.Remove(Context.ConnectionId);
        return Task.CompletedTask;
    }

    public static string Group(Guid instance) => instance.ToString("N");
}
