using Darkroom.Engine.Definitions;

namespace Darkroom.Engine.Flow;

/// <summary>Which activity follows which: the connections of one flowchart, checked.</summary>
internal sealed class FlowGraph
{
    private readonly Dictionary<(string Source, string Outcome), string> _next;

    private FlowGraph(string start, Dictionary<(string Source, string Outcome), string> next)
    {
        Start = start;
        _next = next;
    }

    /// <summary>The id of the activity that runs first.</summary>
    public string Start { get; }

    /// <summary>The activity that follows this outcome, or null where the flow ends.</summary>
    public string? Next(string activity, string outcome) => _next.GetValueOrDefault((activity, outcome));

    /// <summary>
    /// The graph; null, with errors, if there is no activity to start with. Dangling connections, forks, loops, and
    /// unreachable activities are errors.
    /// </summary>
    /// <param name="flowchart">The flowchart to read.</param>
    /// <param name="label">What messages call the flowchart.</param>
    /// <param name="describe">Returns the activity's type; null for an unknown one, which is reported elsewhere.</param>
    /// <param name="errors">Receives the errors.</param>
    public static FlowGraph? Build(
        FlowchartNode flowchart, string label, Func<ActivityNode, ActivityDescriptor?> describe, ValidationErrors errors)
    {
        if (flowchart.Activities.Count == 0)
        {
            errors.Add($"{label} is empty.");
            return null;
        }

        var nodes = new Dictionary<string, ActivityNode>(StringComparer.Ordinal);
        foreach (var node in flowchart.Activities)
            if (!nodes.TryAdd(node.Id, node))
                errors.Add(node, $"its id {node.Id} is that of another activity.");

        var next = Connect(flowchart, label, nodes, describe, errors);
        if (FindStart(flowchart, label, describe, errors) is not { } start)
            return null;
        new FlowPaths(nodes, next).Check(start, describe, errors);
        return new FlowGraph(start.Id, next);
    }

    private static Dictionary<(string Source, string Outcome), string> Connect(
        FlowchartNode flowchart, string label, Dictionary<string, ActivityNode> nodes,
        Func<ActivityNode, ActivityDescriptor?> describe, ValidationErrors errors)
    {
        var next = new Dictionary<(string, string), string>();
        foreach (var connection in flowchart.Connections)
        {
            if (!nodes.TryGetValue(connection.Source, out var source))
                errors.Add($"{label}: a connection comes from {connection.Source}, which does not exist.");
            else if (!nodes.ContainsKey(connection.Target))
                errors.Add(source, $"{connection.Outcome} leads nowhere: there is no activity {connection.Target}.");
            else if (describe(source) is { } descriptor && !BranchFlattener.Outcomes(source, descriptor).Contains(connection.Outcome, StringComparer.Ordinal))
                errors.Add(source, $"it has no outcome {connection.Outcome}.");
            else if (!next.TryAdd((connection.Source, connection.Outcome), connection.Target) && next[(connection.Source, connection.Outcome)] != connection.Target)
                errors.Add(source, $"{connection.Outcome} leads to more than one activity; parallel branches are not run here.");
        }

        return next;
    }

    private static ActivityNode? FindStart(
        FlowchartNode flowchart, string label, Func<ActivityNode, ActivityDescriptor?> describe, ValidationErrors errors)
    {
        var triggers = flowchart.Activities.Where(node => describe(node)?.IsTrigger == true).ToList();
        if (triggers.Count > 1)
            errors.Add($"{label} starts more than once: with {string.Join(" and ", triggers.Select(node => node.Label))}.");
        var targets = flowchart.Connections.Select(c => c.Target).ToHashSet(StringComparer.Ordinal);
        var start = triggers.FirstOrDefault() ?? flowchart.Activities.FirstOrDefault(node => !targets.Contains(node.Id));
        if (start is null)
            errors.Add($"{label} has no activity to start with: every one follows another.");
        return start;
    }
}
