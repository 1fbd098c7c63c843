using System.Text.Json;
using Darkroom.Bookmarks;
using Darkroom.Engine;
using Darkroom.Engine.Definitions;
using Darkroom.Engine.Expressions;
using Darkroom.Engine.Flow;

namespace Darkroom.Runs;

/// <summary>What an execution changes in its instance's state.</summary>
internal static class StateChanges
{
    /// <summary>Makes an activity due. The id of its execution is the same for every attempt.</summary>
    public static ScheduledActivity Schedule(string activity, DateTimeOffset now) => new(activity, ExecutionId: Guid.CreateVersion7(now));

    /// <summary>The state in which this execution is no longer due.</summary>
    public static WorkflowState WithExecuted(this WorkflowState state, ActivityExecution execution, Resumption? resumption) => state with
    {
        Sequence = execution.Sequence,
        Scheduled = resumption is null ? [.. state.Scheduled.Skip(1)] : state.Scheduled,
        ResumeAttempts = null,
    };

    /// <summary>
    /// The state with an activity's result: what is due next, its outputs, the variables that it sets or that its outputs are bound to, and the
    /// webhook that it asked for.
    /// </summary>
    /// <exception cref="WorkflowDefinitionException">A value is not of its variable's type.</exception>
    public static WorkflowState WithResult(
        this WorkflowState state, CompiledWorkflow workflow, ActivityNode activity, ActivityResult.Completed completed, DateTimeOffset now)
    {
        if (workflow.Graph.Next(activity.Id, completed.Outcome) is { } next)
            state = state with { Scheduled = [.. state.Scheduled, Schedule(next, now)] };
        var set = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var (id, value) in completed.Variables ?? new Dictionary<string, JsonElement>())
            set[workflow.Variables[id].Name] = value;
        if (completed.Outputs is { Count: > 0 } outputs)
        {
            var values = outputs.ToDictionary(output => output.Key, output => JsonSerializer.SerializeToElement(output.Value), StringComparer.OrdinalIgnoreCase);
            foreach (var (name, id) in activity.Bindings)
                if (values.TryGetValue(name, out var value))
                    set[workflow.Variables[id].Name] = value;
            state = state with
            {
                Outputs = new Dictionary<string, IReadOnlyDictionary<string, JsonElement>>(state.Outputs, StringComparer.Ordinal) { [activity.Id] = values },
            };
        }

        state = state.WithVariables(workflow, set);
        return completed.Webhook is null ? state : state with { Webhooks = [.. state.Webhooks, completed.Webhook] };
    }

    /// <summary>The state with these variables set; names that the workflow does not declare are ignored.</summary>
    /// <exception cref="WorkflowDefinitionException">A value is not of its variable's type.</exception>
    public static WorkflowState WithVariables(this WorkflowState state, CompiledWorkflow workflow, IReadOnlyDictionary<string, JsonElement> set)
    {
        if (set.Count == 0)
            return state;
        var variables = new Dictionary<string, JsonElement>(state.Variables, StringComparer.Ordinal);
        foreach (var variable in workflow.Variables.Values)
            if (set.TryGetValue(variable.Name, out var value))
                variables[variable.Name] = VariableTypes.Convert(variable, value);
        return state with { Variables = variables };
    }
}
