using System.Text.Json;
using System.Text.Json.Nodes;
using Darkroom.Engine.Definitions;

namespace Darkroom.Engine.Flow;

/// <summary>
/// Refuses what an editor may set on an activity or a flowchart and this engine would ignore. Applies when a definition is published; what
/// already runs is not affected.
/// </summary>
internal sealed class SettingRules(Func<string, ActivityDescriptor?> describe, ValidationErrors errors)
{
    /// <summary>Checks every activity of the definition, wherever it is nested.</summary>
    public void Check(WorkflowDocument document) => ActivityTree.Replace((JsonObject)document.Json["root"]!, activity =>
    {
        var type = ActivityTree.TypeOf(activity).Type;
        if (type == ActivityTree.Flowchart)
            CheckFlowchart(activity);
        else if (describe(type) is { } descriptor)
            CheckActivity(activity, descriptor);
        return activity;
    });

    private void CheckFlowchart(JsonObject flowchart)
    {
        foreach (var name in ActivityTree.Objects(flowchart, "variables").Select(variable => ActivityTree.Text(variable, "name")))
            Add(flowchart, $"its variable {name} would not exist here. Declare it for the workflow.");

        var outcomes = ActivityTree.Objects(flowchart, "connections").ToLookup(
            connection => Text(connection["source"], "activity"), connection => Text(connection["source"], "port") ?? Outcome.Done, StringComparer.Ordinal);
        foreach (var activity in ActivityTree.Objects(flowchart, "activities").Where(ActivityTree.IsActivity))
        {
            // Elsa leaves by the status and by Done; here Done is for every status without an outcome of its own.
            if (describe(ActivityTree.TypeOf(activity).Type) is { OutcomesInput: not null }
                && outcomes[ActivityTree.Text(activity, "id")].Distinct(StringComparer.Ordinal).ToList() is var connected && connected.Contains(Outcome.Done)
                && connected.Find(outcome => outcome.All(char.IsAsciiDigit)) is { } status)
                Add(activity, $"{status} and {Outcome.Done} are both connected; only one of them is followed here.");
        }
    }

    private void CheckActivity(JsonObject activity, ActivityDescriptor descriptor)
    {
        foreach (var (name, value) in activity)
            if ((value as JsonObject)?["expression"] is JsonObject expression && IsSet(expression["value"]) && descriptor.FindInput(name) is null)
                Add(activity, $"it has no input {name} here. Clear it.");

        if (activity["customProperties"] is not JsonObject custom)
            return;
        if (IsTrue(custom["canStartWorkflow"]) && !descriptor.IsTrigger)
            Add(activity, "it is set to start the workflow, which only a trigger does here. Clear Can start workflow.");
        if (IsTrue(custom["runAsynchronously"]))
            Add(activity, "it is set to run asynchronously, which is not done here. Clear Run asynchronously.");
        if (ActivityTree.Text(custom, "commitStrategyName") is { Length: > 0 } commits)
            Add(activity, $"the commit strategy {commits} is not run here; every activity is committed as it completes. Choose Default.");
        if (ActivityTree.Text(custom, "mergeMode") is { Length: > 0 } mode and not "None")
            Add(activity, $"the merge mode {mode} is not run here. Choose None.");
        if (IsSet(custom["resilienceStrategy"]))
            Add(activity, "a resilience strategy is not run here; every activity is retried as the engine is set. Choose none.");
    }

    private void Add(JsonObject activity, string message) => errors.Add($"{WorkflowDocument.LabelOf(activity)}: {message}");

    private static bool IsTrue(JsonNode? value) => value?.GetValueKind() == JsonValueKind.True;

    private static bool IsSet(JsonNode? value) => value switch
    {
        null => false,
        JsonObject json => json.Any(member => IsSet(member.Value)),
        JsonArray json => json.Count > 0,
        _ => value.GetValueKind() != JsonValueKind.False && value.ToString().Length > 0,
    };

    private static string? Text(JsonNode? json, string name) => json is JsonObject found ? ActivityTree.Text(found, name) : null;
}
