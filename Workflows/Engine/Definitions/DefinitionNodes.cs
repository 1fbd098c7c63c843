using System.Text.Json.Nodes;

namespace Darkroom.Engine.Definitions;

/// <summary>An activity and its place in a definition.</summary>
/// <param name="NodeId">The path of ids from the root.</param>
/// <param name="Parent">The node id of the containing activity; null for the root.</param>
public sealed record DefinitionNode(string NodeId, string? Parent, string ActivityId, string Type, int Version, string Name);

/// <summary>
/// The activities of one definition version by node id, at any depth. Nothing is checked, so a run can be shown even
/// if its definition could not run today.
/// </summary>
public sealed class DefinitionNodes
{
    private readonly Dictionary<string, DefinitionNode> _nodes = new(StringComparer.Ordinal);

    private DefinitionNodes()
    {
    }

    /// <summary>The ids of the workflow's variables, by name.</summary>
    public IReadOnlyDictionary<string, string> VariableIds { get; private init; } = new Dictionary<string, string>();

    public static DefinitionNodes Parse(string text)
    {
        var definition = JsonNode.Parse(text)!.AsObject();
        var nodes = new DefinitionNodes { VariableIds = ReadVariables(definition) };
        if (definition["root"] is { } root)
            nodes.Add(root.AsObject(), ActivityTree.RootNodeId, null);
        return nodes;
    }

    public DefinitionNode? Find(string nodeId) => _nodes.GetValueOrDefault(nodeId);

    /// <summary>The outermost node with this activity id; ids are unique among siblings only.</summary>
    public DefinitionNode? FindActivity(string activityId) =>
        _nodes.Values.Where(node => node.ActivityId == activityId).MinBy(node => node.NodeId.Length);

    private void Add(JsonObject activity, string path, string? parent)
    {
        var id = ActivityTree.Text(activity, "id")!;
        var (type, version) = ActivityTree.TypeOf(activity);
        var nodeId = $"{path}:{id}";
        _nodes[nodeId] = new DefinitionNode(nodeId, parent, id, type, version, ActivityTree.Text(activity, "name") ?? type);
        foreach (var (_, value) in activity)
        {
            if (ActivityTree.IsActivity(value))
                Add(value.AsObject(), nodeId, nodeId);
            else if (value is JsonArray children)
                foreach (var child in children.Where(ActivityTree.IsActivity))
                    Add(child!.AsObject(), nodeId, nodeId);
        }
    }

    private static Dictionary<string, string> ReadVariables(JsonObject definition)
    {
        var ids = new Dictionary<string, string>(StringComparer.Ordinal);
        if (definition["variables"] is not JsonArray variables)
            return ids;
        foreach (var variable in variables.OfType<JsonObject>())
            if (ActivityTree.Text(variable, "name") is { } name && ActivityTree.Text(variable, "id") is { } id)
                ids[name] = id;
        return ids;
    }
}
