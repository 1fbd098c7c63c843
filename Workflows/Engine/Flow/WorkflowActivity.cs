using System.Text.Json;
using Darkroom.Data;

namespace Darkroom.Engine.Flow;

/// <summary>An activity of the durable workflow. One instance of the class serves all executions, so it keeps no state.</summary>
/// <remarks>
/// It may be executed again after a crash, up to the commit of its result: whatever it does outside of
/// <see cref="ActivityResult.Effect"/> must bear repeating. An exception is a transient failure, tried again later.
/// </remarks>
public abstract class WorkflowActivity
{
    public abstract Task<ActivityResult> ExecuteAsync(WorkflowActivityContext context, CancellationToken cancellationToken);

    /// <summary>Goes on after its bookmark was woken.</summary>
    /// <param name="input">What woke it, JSON.</param>
    public virtual Task<ActivityResult> ResumeAsync(WorkflowActivityContext context, string input, CancellationToken cancellationToken) =>
        Task.FromResult<ActivityResult>(new ActivityResult.Completed());
}

/// <summary>What an execution sees of its workflow.</summary>
/// <param name="Fence">Of the claim it runs under; part of the names of what it writes, so that a late writer changes nothing.</param>
/// <param name="Variables">The workflow's variables by name.</param>
public sealed record WorkflowActivityContext(
    RequestId RequestId,
    int Run,
    long Fence,
    string ActivityId,
    ActivityInputs Inputs,
    IReadOnlyDictionary<string, JsonElement> Variables)
{
    /// <summary>Of this execution; the same at every attempt, so that receivers can tell a repetition.</summary>
    public Guid ExecutionId { get; init; }

    /// <summary>What the request brings, by name.</summary>
    public IReadOnlyDictionary<string, JsonElement> WorkflowInputs { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>Outputs of completed activities, by activity and name.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, JsonElement>> Outputs { get; init; } =
        new Dictionary<string, IReadOnlyDictionary<string, JsonElement>>();

    /// <summary>Whether the definition goes on after this outcome.</summary>
    public Func<string, bool> LeadsOn { get; init; } = _ => false;
}
