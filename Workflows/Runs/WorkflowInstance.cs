using Darkroom.Data;
using Darkroom.Engine.Definitions;
using Darkroom.Engine.Flow;

namespace Darkroom.Runs;

/// <summary>An instance that this process has claimed and may change as long as its fence holds.</summary>
public sealed record WorkflowInstance(
    Guid Id, RequestId RequestId, int Run, string DefinitionVersionId, long Fence, WorkflowState State)
{
    /// <summary>The text that it runs.</summary>
    public required DocumentHash Document { get; init; }
}
