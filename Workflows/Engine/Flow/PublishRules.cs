using Darkroom.Engine.Definitions;

namespace Darkroom.Engine.Flow;

/// <summary>
/// Checks that a flowchart that can run also has an effect: an activity with nothing to work on, or whose work nothing carries out,
/// runs and achieves nothing. Applies when a definition is published; what already runs is not affected.
/// </summary>
internal sealed class PublishRules(
    FlowchartNode flowchart, FlowGraph graph, Func<ActivityNode, ActivityDescriptor?> describe, ValidationErrors errors)
{
    private readonly Dictionary<string, ActivityNode> _nodes =
        flowchart.Activities.DistinctBy(node => node.Id).ToDictionary(node => node.Id, StringComparer.Ordinal);

    public void Check(string label, ActivityPlace place, ActivityCatalog catalog, Func<ActivityNode, CompiledInputs?> inputs)
    {
        var reached = Reach(graph.Start, null);
        foreach (var missing in catalog.Descriptors.Where(type => type.WithoutIt is not null && type.Place.HasFlag(place)))
            if (!reached.Any(node => node.Type == missing.TypeName))
                errors.Add($"{label} has no {missing.DisplayName}, {missing.WithoutIt}.");

        foreach (var node in reached)
        {
            if (describe(node) is not { } descriptor || !descriptor.Place.HasFlag(place))
                continue;
            if (descriptor.After is { } required && Reach(graph.Start, required).Contains(node))
                errors.Add(node, $"it can be reached without {required.Label}, {required.Reason}.");
            if (descriptor.TakesEffectIn is { } effect && !Reach(node.Id, null).Any(after => after.Type == effect.TypeName))
                errors.Add(node, $"no {effect.DisplayName} follows it, so that it changes nothing.");
            foreach (var mode in node.Logs.Unknown)
                errors.Add(node, LogPersistence.Refusal(mode));
            if (inputs(node) is { } values && descriptor.Check?.Invoke(values.Known) is { } error)
                errors.Add(node, error);
        }
    }

    /// <summary>The activities that can be reached, including the first, without leaving the required one by its outcome.</summary>
    private HashSet<ActivityNode> Reach(string start, RequiredStep? required)
    {
        var found = new HashSet<ActivityNode>(ReferenceEqualityComparer.Instance);
        var open = new Stack<string>([start]);
        while (open.TryPop(out var id))
        {
            if (!_nodes.TryGetValue(id, out var node) || !found.Add(node) || describe(node) is not { } descriptor)
                continue;
            foreach (var outcome in BranchFlattener.Outcomes(node, descriptor))
                if (!(required?.Activity.TypeName == node.Type && required.Outcome == outcome) && graph.Next(id, outcome) is { } next)
                    open.Push(next);
        }

        return found;
    }
}
