using System.Text.Json;
using Darkroom.Bookmarks;
using Darkroom.Engine.Definitions;

namespace Darkroom.Runs;

/// <summary>The history of one run: the executions of its activities, the counts of its fan-out's body, and the images that failed.</summary>
public sealed record RunHistory(
    InstanceDetail Instance,
    DefinitionNodes Nodes,
    IReadOnlyList<RecordedExecution> Executions,
    IReadOnlyList<BodyCount> Counts,
    IReadOnlyList<FailedImage> Failures)
{
    /// <summary>The fan-out's execution, or null if the run has not reached it.</summary>
    public RecordedExecution? FanOut => Executions.LastOrDefault(execution => execution.ActivityType == FanOutBookmark.Name);
}

/// <summary>One execution of an activity of the workflow itself.</summary>
public sealed record RecordedExecution
{
    public required Guid Id { get; init; }
    public required long Sequence { get; init; }
    public required string ActivityId { get; init; }
    public required string NodeId { get; init; }
    public required string ActivityType { get; init; }
    public required string ActivityName { get; init; }

    /// <summary>Running, Completed, Canceled or Faulted. One that was running when the instance ended is shown as canceled.</summary>
    public required string Status { get; init; }

    public required IReadOnlyList<string> Outcomes { get; init; }
    public required JsonElement? Inputs { get; init; }
    public required JsonElement? Outputs { get; init; }
    public required JsonElement? Error { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
    public required DateTimeOffset? SuspendedAt { get; init; }
    public required DateTimeOffset? CompletedAt { get; init; }
}

/// <summary>The counts of one activity in the fan-out's body.</summary>
/// <param name="Completed">Executions that continued with the next activity.</param>
/// <param name="Faulted">Images that failed here for good.</param>
/// <param name="Retried">Attempts that failed here and were or will be repeated.</param>
public sealed record BodyCount(
    DefinitionNode Node, long Completed, long Faulted, long Retried, DateTimeOffset FirstAt, DateTimeOffset LastAt)
{
    /// <summary>The id of the execution record that represents all executions of this node.</summary>
    public string IdIn(Guid instance) => ExecutionIds.OfBody(instance, Node.NodeId);
}

/// <summary>An image of the current run that failed.</summary>
/// <param name="NodeId">The activity where it stopped; null if its process died or no activity failed.</param>
/// <param name="Steps">What its body did, in order.</param>
public sealed record FailedImage(
    int Row, int Position, string Url, string Code, string Message, DateTimeOffset At, int Attempts, string? NodeId,
    IReadOnlyList<BodyJournalStep> Steps);

/// <summary>One step of a failed image's journal.</summary>
/// <param name="Text">The lines that it logged; null if none.</param>
public sealed record BodyJournalStep(string NodeId, string Activity, string Outcome, long Milliseconds, string? Text = null);
