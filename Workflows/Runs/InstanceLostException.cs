namespace Darkroom.Runs;

/// <summary>The claim's fence no longer holds: another process owns the instance, or it was cancelled. Whatever was under way is dropped.</summary>
public sealed class InstanceLostException(Guid instanceId)
    : Exception($"Workflow instance {instanceId} is no longer owned by this process.");
