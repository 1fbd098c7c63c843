using Darkroom.Engine.Definitions;

namespace Darkroom.Runs;

/// <summary>One execution of an activity, for the journal.</summary>
internal sealed record ActivityExecution(Guid Id, long Sequence, ActivityNode Activity, DateTimeOffset StartedAt)
{
    /// <summary>Running (suspended), Completed, or Faulted.</summary>
    public required string Status { get; init; }
    public string[] Outcomes { get; init; } = [];
    public object? Inputs { get; init; }
    public object? Outputs { get; init; }
    public object? Error { get; init; }
}
