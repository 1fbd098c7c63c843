using System.Text.Json;
using Darkroom.Data;

namespace Darkroom.Engine.Flow;

/// <summary>An activity of the durable workflow. One instance of the class serves all executions, so it holds no state.</summary>
/// <remarks>
/// It may run again after a crash, until its result is committed: whatever it does outside of
/// <see cref="ActivityResult.Effect"/> must be repeatable. An exception is a transient failure and is retried later.
/// </remarks>
public abstract class WorkflowActivity
{
    /// <summary>
    /// True if its completion has no effect but its result, and is only committed together with that of the next activity.
    /// </summary>
    public virtual bool CommitsWithNext => false;

    public abstract Task<ActivityResult> ExecuteAsync(WorkflowActivityContext context, CancellationToken cancellationToken);

    /// <summary>Continues after its bookmark was resumed.</summary>
    /// <param name="input">What resumed it, as JSON.</param>
    public virtual Task<ActivityResult> ResumeAsync(WorkflowActivityContext context, string input, CancellationToken cancellationToken) =>
        Task.FromResult<ActivityResult>(new ActivityResult.Completed());
}

/// <summary>What an execution can see of its workflow.</summary>
/// <param name="Fence">The fence of its claim; part of the names of what it writes, so that a stale writer changes nothing.</param>
/// <param name="Variables">The workflow's variables by name.</param>
public sealed record WorkflowActivityContext(
    RequestId RequestId,
    int Run,
    long Fence,
    string ActivityId,
    ActivityInputs Inputs,
    IReadOnlyDictionary<string, JsonElement> Variables)
{
    /// <summary>Id of this execution; the same for every attempt, so that receivers can detect duplicates.</summary>
    public Guid ExecutionId { get; init; }

    /// <summary>The request's inputs, by name.</summary>
    public IReadOnlyDictionary<string, JsonElement> WorkflowInputs { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>Outputs of completed activities, by activity and name.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, JsonElement>> Outputs { get; init; } =
        new Dictionary<string, IReadOnlyDictionary<string, JsonElement>>();

    /// <summary>Whether a connection leaves this outcome.</summary>
    public Func<string, bool> LeadsOn { get; init; } = _ => false;
}
