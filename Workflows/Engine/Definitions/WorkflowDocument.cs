using System.Text.Json;

namespace Darkroom.Engine.Definitions;

/// <summary>An Elsa 3 workflow definition, read: the same graph as the JSON, with nothing evaluated and nothing judged.</summary>
/// <param name="Variables">By id, since expressions name variables by id.</param>
/// <param name="Inputs">Names of the inputs that it declares.</param>
internal sealed record WorkflowDocument(
    FlowchartNode Root, IReadOnlyDictionary<string, VariableNode> Variables, IReadOnlyList<string> Inputs)
{
    private const string Flowchart = "Elsa.Flowchart";
    private const int LongestName = 300;

    public WorkflowSettings Settings { get; init; } = new();

    /// <exception cref="WorkflowDefinitionException">Not a definition that this engine can read.</exception>
    public static WorkflowDocument Parse(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var definition = document.RootElement;
            if (!definition.TryGetProperty("root", out var root)) throw new WorkflowDefinitionException("The definition has no root.");
            var variables = Children(definition, "variables").Select(ReadVariable).ToDictionary(v => v.Id, StringComparer.Ordinal);
            var inputs = Children(definition, "inputs").Select(input => Name(input, "name")).ToList();
            return new WorkflowDocument(ReadFlowchart(root, "Workflow1", ""), variables, inputs) { Settings = WorkflowSettings.Read(definition) };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException)
        {
            throw new WorkflowDefinitionException("The definition is not readable as Elsa 3 workflow JSON.", e);
        }
    }

    private static FlowchartNode ReadFlowchart(JsonElement json, string parentNodeId, string inside)
    {
        var type = json.GetProperty("type").GetString();
        if (type != Flowchart) throw new WorkflowDefinitionException($"A workflow is built from {Flowchart} here, not from {type}.");
        var nodeId = $"{parentNodeId}:{Name(json, "id")}";
        return new FlowchartNode(
            nodeId,
            Children(json, "activities").Select(activity => ReadActivity(activity, nodeId, inside)).ToList(),
            Children(json, "connections").Select(ReadConnection).ToList());
    }

    private static ActivityNode ReadActivity(JsonElement json, string parentNodeId, string inside)
    {
        var id = Name(json, "id");
        var nodeId = $"{parentNodeId}:{id}";
        var type = Name(json, "type");
        var name = json.TryGetProperty("name", out var named) && named.ValueKind == JsonValueKind.String ? Name(json, "name") : type;
        var label = $"{inside}{Label(json, name)}";
        var inputs = new Dictionary<string, ExpressionNode>(StringComparer.OrdinalIgnoreCase);
        var bindings = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var raw = new Dictionary<string, JsonElement>(StringComparer.OrdinalIgnoreCase);
        var nested = new Dictionary<string, FlowchartNode>(StringComparer.OrdinalIgnoreCase);
        foreach (var property in json.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.Object && !Own.Contains(p.Name)))
        {
            if (property.Value.TryGetProperty("expression", out var expression) && expression.ValueKind == JsonValueKind.Object)
                inputs[property.Name] = ReadExpression(expression);
            else if (property.Value.TryGetProperty("type", out _) && property.Value.TryGetProperty("version", out _))
            {
                if (!property.NameEquals("body") || IsFlowchart(property.Value)) nested[property.Name] = ReadNested(property.Value, nodeId, $"{label} / ");
            }
            else if (ReadReference(property.Value) is { } variable)
                bindings[property.Name] = variable;
            else
                raw[property.Name] = property.Value.Clone();
        }

        return new ActivityNode(
            id, nodeId, type,
            json.TryGetProperty("version", out var version) ? Whole(version) : 1,
            name, inputs, nested.GetValueOrDefault("body"))
        { Label = label, Bindings = bindings, Raw = raw, Nested = nested };
    }

    private static readonly HashSet<string> Own = ["metadata", "customProperties"];

    /// <summary>Names are kept by the database and shown in messages: one line of text, and not a long one.</summary>
    private static string Name(JsonElement json, string property)
    {
        var name = json.GetProperty(property).GetString();
        return name is { Length: > 0 and <= LongestName } && !name.Any(char.IsControl)
            ? name
            : throw new WorkflowDefinitionException($"Each {property} in a definition is one line of 1 to {LongestName} characters; '{Shown(name)}' is none.");
    }

    private static string Shown(string? name) => new([.. (name ?? "").Take(40).Select(c => char.IsControl(c) ? '\uFFFD' : c)]);

    private static int Whole(JsonElement number) => number.TryGetInt32(out var whole)
        ? whole
        : throw new WorkflowDefinitionException($"The version of an activity is a whole number, not {number.GetRawText()}.");

    /// <summary>A port may hold an activity that is no flowchart: the same as a flowchart of that one.</summary>
    private static FlowchartNode ReadNested(JsonElement json, string parentNodeId, string inside)
    {
        if (IsFlowchart(json)) return ReadFlowchart(json, parentNodeId, inside);
        var activity = ReadActivity(json, parentNodeId, inside);
        return new FlowchartNode(activity.NodeId, [activity], []);
    }

    // Other containers are no body that could be run; whoever compiles the activity misses it.
    private static bool IsFlowchart(JsonElement json) =>
        json.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String && type.ValueEquals(Flowchart);

    private static string Label(JsonElement json, string name) =>
        json.TryGetProperty("metadata", out var metadata) && metadata.ValueKind == JsonValueKind.Object
        && metadata.TryGetProperty("displayText", out var text) && text.ValueKind == JsonValueKind.String
        && text.GetString() is { Length: > 0 } title && title != name
            ? $"{title} ({name})"
            : name;

    private static string? ReadReference(JsonElement json) =>
        json.TryGetProperty("memoryReference", out var reference) && reference.ValueKind == JsonValueKind.Object
        && reference.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.String
            ? id.GetString()
            : null;

    private static ExpressionNode ReadExpression(JsonElement json) =>
        new(json.GetProperty("type").GetString()!, json.TryGetProperty("value", out var value) ? value.Clone() : default);

    private static ConnectionNode ReadConnection(JsonElement json)
    {
        var (source, target) = (json.GetProperty("source"), json.GetProperty("target"));
        var port = source.TryGetProperty("port", out var named) && named.ValueKind == JsonValueKind.String ? named.GetString()! : Outcome.Done;
        return new ConnectionNode(source.GetProperty("activity").GetString()!, port, target.GetProperty("activity").GetString()!);
    }

    private static VariableNode ReadVariable(JsonElement json) =>
        new(Name(json, "id"), Name(json, "name"),
            json.TryGetProperty("value", out var value) ? value.Clone() : default)
        {
            TypeName = json.TryGetProperty("typeName", out var type) && type.ValueKind == JsonValueKind.String ? type.GetString()! : "Object",
            IsArray = json.TryGetProperty("isArray", out var array) && array.ValueKind == JsonValueKind.True,
        };

    private static List<JsonElement> Children(JsonElement json, string name) =>
        json.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray()] : [];
}

/// <summary>A flowchart: activities and the connections between them. The order of neither means anything.</summary>
internal sealed record FlowchartNode(string NodeId, IReadOnlyList<ActivityNode> Activities, IReadOnlyList<ConnectionNode> Connections)
{
    /// <summary>Its activities, nested ones included.</summary>
    public int Count => Activities.Sum(activity => 1 + activity.Nested.Values.Sum(nested => nested.Count));
}

/// <summary>An activity where it stands. <paramref name="NodeId"/> is the path of ids from the root: unique in the definition.</summary>
internal sealed record ActivityNode(
    string Id, string NodeId, string Type, int Version, string Name,
    IReadOnlyDictionary<string, ExpressionNode> Inputs, FlowchartNode? Body)
{
    /// <summary>What people call it in a message: its title on the canvas, and its name if that is another.</summary>
    public string Label { get; init; } = Name;

    /// <summary>Outputs that are bound to a variable: the variable's id by the output's name.</summary>
    public IReadOnlyDictionary<string, string> Bindings { get; init; } = new Dictionary<string, string>();

    /// <summary>Values that stand without an expression around them, by property.</summary>
    public IReadOnlyDictionary<string, JsonElement> Raw { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>What its embedded ports hold, by port.</summary>
    public IReadOnlyDictionary<string, FlowchartNode> Nested { get; init; } = new Dictionary<string, FlowchartNode>();
}

/// <summary>From an activity's outcome to the activity that follows.</summary>
internal sealed record ConnectionNode(string Source, string Outcome, string Target);

/// <summary>An input's value as written: Literal, Variable, Input, JavaScript, ...</summary>
internal sealed record ExpressionNode(string Type, JsonElement Value);

/// <summary>A workflow variable and its first value.</summary>
internal sealed record VariableNode(string Id, string Name, JsonElement Value)
{
    /// <summary>Elsa's alias of its type, such as String or Int32.</summary>
    public string TypeName { get; init; } = "Object";

    public bool IsArray { get; init; }
}
