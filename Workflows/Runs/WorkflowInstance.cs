using Darkroom.Data;
using Darkroom.Engine.Definitions;
using Darkroom.Engine.Flow;

namespace Darkroom.Runs;

/// <summary>An instance that this process has claimed and may change while its fence holds.</summary>
public sealed record WorkflowInstance(
    Guid Id, RequestId RequestId, int Run, string DefinitionVersionId, long Fence, WorkflowState State)
{
    /// <summary>Whose request it runs.</summary>
    public required OwnerId Owner { get; init; }

    /// <summary>The definition text that it runs.</summary>
    public required DocumentHash Document { get; init; }

    /// <summary>Trace context of whatever started the run, or null.</summary>
    public string? TraceParent { get; init; }

    /// <summary>Cancelled when the lease is lost under which it was claimed.</summary>
    public CancellationToken Held { get; init; }

    /// <summary>How often it ended its process, or failed in an unforeseen way, since its last completed step.</summary>
    public int Attempts { get; init; }

    /// <summary>What its state includes but its journal does not yet: the next step writes it.</summary>
    internal IReadOnlyList<PendingExecution> Pending { get; init; } = [];

    /// <summary>Its state cannot be read, so it can only be ended.</summary>
    public bool IsUnreadable { get; init; }
}

/// <summary>The claim's fence no longer holds: another process owns the instance, or it was cancelled. Work in progress is dropped.</summary>
public sealed class InstanceLostException(Guid instanceId)
    : Exception($"Workflow instance {instanceId} is no longer owned by this process.");
