using System.Text.Json;
using Darkroom.Engine.Definitions;

namespace Darkroom.Engine.Flow;

/// <summary>
/// Places the content of embedded branches (Then, Else) beside the activity that contains them, so that one graph shows every path. An
/// unconnected outcome in a branch continues where the container's Done leads: when the branch ends, so does its container.
/// </summary>
internal sealed class BranchFlattener
{
    /// <summary>The outcome by which an activity leaves its flowchart; never drawn, so no definition connects it.</summary>
    public const string Exit = "(exit)";

    /// <summary>Maximum number of outcomes that an input may add to an activity.</summary>
    internal const int MaxAddedOutcomes = 100;

    private readonly Func<ActivityNode, ActivityDescriptor?> _describe;
    private readonly List<ActivityNode> _activities = [];
    private readonly List<ConnectionNode> _connections = [];

    private BranchFlattener(Func<ActivityNode, ActivityDescriptor?> describe) => _describe = describe;

    public static FlowchartNode Flatten(FlowchartNode flowchart, Func<ActivityNode, ActivityDescriptor?> describe)
    {
        var branches = new BranchFlattener(describe);
        branches.Add(flowchart, null);
        return flowchart with { Activities = branches._activities, Connections = branches._connections };
    }

    /// <summary>Every outcome that this activity can continue with, including those of its branches.</summary>
    public static IEnumerable<string> Outcomes(ActivityNode node, ActivityDescriptor descriptor)
    {
        var outcomes = descriptor.Outcomes.Concat(descriptor.BranchPorts).Concat(Added(node, descriptor));
        return descriptor.CompletesFlowchart ? outcomes.Append(Exit) : outcomes;
    }

    private void Add(FlowchartNode flowchart, string? exit)
    {
        _activities.AddRange(flowchart.Activities);
        _connections.AddRange(flowchart.Connections);
        foreach (var node in flowchart.Activities)
        {
            if (_describe(node) is not { } descriptor)
                continue;
            var connected = flowchart.Connections.Where(c => c.Source == node.Id).ToLookup(c => c.Outcome, c => c.Target, StringComparer.Ordinal);
            foreach (var outcome in Outcomes(node, descriptor).Except(descriptor.BranchPorts).Where(outcome => !connected.Contains(outcome)))
                Connect(node, outcome, exit);
            foreach (var port in descriptor.BranchPorts)
                AddBranch(node, port, connected[Outcome.Done].FirstOrDefault() ?? exit);
        }
    }

    private void AddBranch(ActivityNode holder, string port, string? exit)
    {
        var branch = holder.Nested.GetValueOrDefault(port);
        if (branch is null || branch.Activities.Count == 0)
        {
            Connect(holder, port, exit);
            return;
        }

        var targets = branch.Connections.Select(c => c.Target).ToHashSet(StringComparer.Ordinal);
        Connect(holder, port, (branch.Activities.FirstOrDefault(node => !targets.Contains(node.Id)) ?? branch.Activities[0]).Id);
        Add(branch, exit);
    }

    private void Connect(ActivityNode source, string outcome, string? target)
    {
        if (target is not null)
            _connections.Add(new ConnectionNode(source.Id, outcome, target));
    }

    private static IEnumerable<string> Added(ActivityNode node, ActivityDescriptor descriptor)
    {
        if (descriptor.OutcomesInput is not { } input || !node.Inputs.TryGetValue(input, out var expression))
            return [];
        return (StatusList(expression.Value) ?? []).Distinct().Take(MaxAddedOutcomes);
    }

    /// <summary>The elements of a JSON array, given as JSON or as text; null if it is not an array.</summary>
    internal static IReadOnlyList<string>? StatusList(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Array)
            return [.. value.EnumerateArray().Select(element => element.ValueKind == JsonValueKind.String ? element.GetString()! : element.GetRawText())];
        if (value.ValueKind != JsonValueKind.String)
            return null;
        try
        {
            using var document = JsonDocument.Parse(value.GetString()!);
            return document.RootElement.ValueKind == JsonValueKind.Array ? StatusList(document.RootElement) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
