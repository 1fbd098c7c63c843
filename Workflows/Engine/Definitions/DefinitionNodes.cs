using System.Text.Json;

namespace Darkroom.Engine.Definitions;

/// <summary>An activity where it stands in a definition.</summary>
/// <param name="NodeId">The path of ids from the root.</param>
/// <param name="Parent">The node id of the activity around it; null for the root.</param>
public sealed record DefinitionNode(string NodeId, string? Parent, string ActivityId, string Type, int Version, string Name);

/// <summary>
/// The activities of one definition version by node id, however deeply they are nested. It judges nothing, so a run is shown
/// even where its definition could not be run today.
/// </summary>
public sealed class DefinitionNodes
{
    private const string Workflow = "Workflow1";

    private readonly Dictionary<string, DefinitionNode> _nodes = new(StringComparer.Ordinal);

    private DefinitionNodes()
    {
    }

    /// <summary>The workflow's variables as the definition names them: id by name.</summary>
    public IReadOnlyDictionary<string, string> VariableIds { get; private init; } = new Dictionary<string, string>();

    public static DefinitionNodes Of(string document)
    {
        using var json = JsonDocument.Parse(document);
        var nodes = new DefinitionNodes { VariableIds = ReadVariables(json.RootElement) };
        if (json.RootElement.TryGetProperty("root", out var root)) nodes.Read(root, Workflow, null);
        return nodes;
    }

    public DefinitionNode? Find(string nodeId) => _nodes.GetValueOrDefault(nodeId);

    /// <summary>The node with this activity id, the outermost first; ids are unique among siblings only.</summary>
    public DefinitionNode? FindActivity(string activityId) =>
        _nodes.Values.Where(node => node.ActivityId == activityId).MinBy(node => node.NodeId.Length);

    private void Read(JsonElement activity, string path, string? parent)
    {
        var id = activity.GetProperty("id").GetString()!;
        var type = activity.GetProperty("type").GetString()!;
        var nodeId = $"{path}:{id}";
        _nodes[nodeId] = new DefinitionNode(
            nodeId, parent, id, type,
            activity.TryGetProperty("version", out var version) && version.ValueKind == JsonValueKind.Number && version.TryGetInt32(out var number) ? number : 1,
            Text(activity, "name") ?? type);
        foreach (var property in activity.EnumerateObject())
        {
            if (IsActivity(property.Value)) Read(property.Value, nodeId, nodeId);
            else if (property.Value.ValueKind == JsonValueKind.Array)
                foreach (var child in property.Value.EnumerateArray().Where(IsActivity)) Read(child, nodeId, nodeId);
        }
    }

    // An expression has a type and no id; a variable has an id and no type.
    private static bool IsActivity(JsonElement json) =>
        Text(json, "id") is not null && Text(json, "type") is not null;

    private static Dictionary<string, string> ReadVariables(JsonElement definition)
    {
        var ids = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!definition.TryGetProperty("variables", out var variables) || variables.ValueKind != JsonValueKind.Array) return ids;
        foreach (var variable in variables.EnumerateArray())
            if (Text(variable, "name") is { } name && Text(variable, "id") is { } id) ids[name] = id;
        return ids;
    }

    private static string? Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
