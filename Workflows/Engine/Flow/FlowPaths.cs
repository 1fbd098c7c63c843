using Darkroom.Engine.Definitions;

namespace Darkroom.Engine.Flow;

/// <summary>Checks the paths through a flowchart: every activity can be reached, none loops, and some occur only once per path.</summary>
internal sealed class FlowPaths(Dictionary<string, ActivityNode> nodes, Dictionary<(string Source, string Outcome), string> next)
{
    private readonly ILookup<string, string> _followers =
        next.ToLookup(pair => pair.Key.Source, pair => pair.Value, StringComparer.Ordinal);

    public void Check(ActivityNode start, Func<ActivityNode, ActivityDescriptor?> describe, ValidationErrors errors)
    {
        var reached = From(start.Id);
        reached.Add(start.Id);
        foreach (var node in nodes.Values)
        {
            if (!reached.Contains(node.Id))
                errors.Add(node, "it is never reached.");
            var after = From(node.Id);
            if (after.Contains(node.Id))
                errors.Add(node, "it is part of a loop; loops are not run here.");
            if (describe(node) is not { OncePerPath: true } descriptor)
                continue;
            foreach (var other in after.Where(id => id != node.Id).Select(id => nodes[id]).Where(other => other.Type == node.Type))
                errors.Add(other, $"it follows {node.Label}; {descriptor.DisplayName} may happen only once on a path.");
        }
    }

    /// <summary>Every activity that can follow this one; includes itself only if there is a loop.</summary>
    private HashSet<string> From(string id)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>(_followers[id]);
        while (open.TryPop(out var at))
        {
            if (!found.Add(at))
                continue;
            foreach (var follower in _followers[at])
                open.Push(follower);
        }

        return found;
    }
}
