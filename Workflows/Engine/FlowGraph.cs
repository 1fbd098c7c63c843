namespace Darkroom.Engine;

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

    /// <exception cref="WorkflowDefinitionException">A connection that leads nowhere, a fork, a loop, or an activity that is never reached.</exception>
    public static FlowGraph Build(FlowchartNode flowchart, Func<ActivityNode, ActivityDescriptor> describe)
    {
        if (flowchart.Activities.Count == 0) throw new WorkflowDefinitionException("The flowchart is empty.");
        var nodes = new Dictionary<string, ActivityNode>(StringComparer.Ordinal);
        foreach (var node in flowchart.Activities)
            if (!nodes.TryAdd(node.Id, node)) throw new WorkflowDefinitionException($"Two activities have the id {node.Id}.");

        var next = new Dictionary<(string, string), string>();
        foreach (var connection in flowchart.Connections)
        {
            if (!nodes.TryGetValue(connection.Source, out var source) || !nodes.ContainsKey(connection.Target))
                throw new WorkflowDefinitionException($"A connection from {connection.Source} to {connection.Target} leads nowhere.");
            if (!describe(source).Outcomes.Contains(connection.Outcome, StringComparer.Ordinal))
                throw new WorkflowDefinitionException($"{source.Name} has no outcome {connection.Outcome}.");
            if (!next.TryAdd((connection.Source, connection.Outcome), connection.Target))
                throw new WorkflowDefinitionException($"{source.Name}: {connection.Outcome} leads to more than one activity; parallel branches are not run here.");
        }

        var start = FindStart(flowchart, describe);
        CheckPaths(start, nodes, next);
        return new FlowGraph(start.Id, next);
    }

    private static ActivityNode FindStart(FlowchartNode flowchart, Func<ActivityNode, ActivityDescriptor> describe)
    {
        var targets = flowchart.Connections.Select(c => c.Target).ToHashSet(StringComparer.Ordinal);
        return flowchart.Activities.FirstOrDefault(node => describe(node).IsTrigger)
            ?? flowchart.Activities.FirstOrDefault(node => !targets.Contains(node.Id))
            ?? throw new WorkflowDefinitionException("The flowchart has no activity to start with: every one follows another.");
    }

    private static void CheckPaths(
        ActivityNode start, Dictionary<string, ActivityNode> nodes, Dictionary<(string Source, string Outcome), string> next)
    {
        var followers = next.ToLookup(pair => pair.Key.Source, pair => pair.Value, StringComparer.Ordinal);
        var done = new HashSet<string>(StringComparer.Ordinal);
        var onPath = new HashSet<string>(StringComparer.Ordinal);
        Visit(start.Id);
        if (nodes.Values.FirstOrDefault(node => !done.Contains(node.Id)) is { } unreachable)
            throw new WorkflowDefinitionException($"{unreachable.Name} is never reached.");

        void Visit(string id)
        {
            if (onPath.Contains(id)) throw new WorkflowDefinitionException($"{nodes[id].Name} is part of a loop; loops are not run here.");
            if (done.Contains(id)) return;
            onPath.Add(id);
            foreach (var follower in followers[id]) Visit(follower);
            onPath.Remove(id);
            done.Add(id);
        }
    }
}
