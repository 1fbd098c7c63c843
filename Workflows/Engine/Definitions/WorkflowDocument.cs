using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Darkroom.Engine.Definitions;

/// <summary>A parsed definition: the same graph as the JSON, with nothing evaluated and nothing checked.</summary>
public sealed class WorkflowDocument
{
    private const int MaxNameLength = 300;

    private static readonly HashSet<string> NotInputs = ["metadata", "customProperties"];

    private WorkflowDocument(string text, JsonObject json)
    {
        Text = text;
        Json = json;
        Name = OptionalText(json, "name");
        // PostgreSQL text cannot contain U+0000.
        Description = OptionalText(json, "description")?.Replace("\0", "", StringComparison.Ordinal);
        if (!json.TryGetPropertyValue("root", out var root))
            throw new WorkflowDefinitionException("The definition has no root.");
        Variables = Children(json, "variables").Select(ReadVariable).ToDictionary(v => v.Id, StringComparer.Ordinal);
        Inputs = [.. Children(json, "inputs").Select(input => ReadName(input, "name"))];
        Logs = LogPersistence.Read(json, LogPersistence.Default);
        Root = ReadFlowchart(Object(root), ActivityTree.RootNodeId, "", Logs);
        Settings = WorkflowSettings.Read(json);
    }

    /// <summary>Elsa 3 workflow definition JSON, unchanged.</summary>
    public string Text { get; }

    public string? Name { get; }

    public string? Description { get; }

    /// <summary>The text as JSON. All readers share it, so do not modify it.</summary>
    internal JsonObject Json { get; }

    internal FlowchartNode Root { get; }

    /// <summary>By id, since expressions name variables by id.</summary>
    internal IReadOnlyDictionary<string, VariableNode> Variables { get; }

    /// <summary>Names of the declared inputs.</summary>
    internal IReadOnlyList<string> Inputs { get; }

    internal WorkflowSettings Settings { get; }

    /// <summary>What its journals keep, unless an activity says otherwise.</summary>
    internal LogPersistence Logs { get; }

    /// <exception cref="WorkflowDefinitionException">Not a definition that this engine can read.</exception>
    public static WorkflowDocument Parse(string text)
    {
        try
        {
            return new WorkflowDocument(text, Object(JsonNode.Parse(text)));
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException)
        {
            throw new WorkflowDefinitionException("The definition is not readable as Elsa 3 workflow JSON.", e);
        }
    }

    private static FlowchartNode ReadFlowchart(JsonObject json, string parentNodeId, string inside, LogPersistence logs)
    {
        var type = RequiredText(json, "type");
        if (type != ActivityTree.Flowchart)
            throw new WorkflowDefinitionException($"A workflow is built from {ActivityTree.Flowchart} here, not from {type}.");
        var nodeId = $"{parentNodeId}:{ReadName(json, "id")}";
        var own = LogPersistence.Read(json, logs);
        return new FlowchartNode(
            nodeId,
            Children(json, "activities").Select(activity => ReadActivity(activity, nodeId, inside, own)).ToList(),
            Children(json, "connections").Select(ReadConnection).ToList());
    }

    private static ActivityNode ReadActivity(JsonObject json, string parentNodeId, string inside, LogPersistence logs)
    {
        var id = ReadName(json, "id");
        var nodeId = $"{parentNodeId}:{id}";
        var type = ReadName(json, "type");
        var name = OptionalText(json, "name") is null ? type : ReadName(json, "name");
        var label = $"{inside}{ReadLabel(json, name)}";
        var own = LogPersistence.Read(json, logs);
        var inputs = new Dictionary<string, ExpressionNode>(StringComparer.OrdinalIgnoreCase);
        var bindings = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var raw = new Dictionary<string, JsonElement>(StringComparer.OrdinalIgnoreCase);
        var nested = new Dictionary<string, FlowchartNode>(StringComparer.OrdinalIgnoreCase);
        foreach (var (property, node) in json)
        {
            if (node is not JsonObject value || NotInputs.Contains(property))
                continue;
            if (value["expression"] is JsonObject expression)
                inputs[property] = new ExpressionNode(RequiredText(expression, "type")!, ActivityTree.Value(expression, "value"));
            else if (value.ContainsKey("type") && value.ContainsKey("version"))
            {
                if (property != "body" || IsFlowchart(value))
                    nested[property] = ReadNested(value, nodeId, $"{label} / ", own);
            }
            else if (value["memoryReference"] is JsonObject reference && OptionalText(reference, "id") is { } variable)
                bindings[property] = variable;
            else
                raw[property] = ActivityTree.Value(json, property);
        }

        return new ActivityNode(
            id, nodeId, type,
            json.TryGetPropertyValue("version", out var version) ? ReadVersion(version) : 1,
            name, inputs, nested.GetValueOrDefault("body"))
        { Label = label, Bindings = bindings, Raw = raw, Nested = nested, Logs = own };
    }

    /// <summary>A port may hold an activity that is not a flowchart; it is read as a flowchart of that one activity.</summary>
    private static FlowchartNode ReadNested(JsonObject json, string parentNodeId, string inside, LogPersistence logs)
    {
        if (IsFlowchart(json))
            return ReadFlowchart(json, parentNodeId, inside, logs);
        var activity = ReadActivity(json, parentNodeId, inside, logs);
        return new FlowchartNode(activity.NodeId, [activity], []);
    }

    // Other containers cannot run as a body; compiling the activity reports that the body is missing.
    private static bool IsFlowchart(JsonObject json) => OptionalText(json, "type") == ActivityTree.Flowchart;

    /// <summary>What messages call an activity: its title on the canvas, plus its name if that differs.</summary>
    internal static string LabelOf(JsonObject json) => ReadLabel(json, OptionalText(json, "name") ?? OptionalText(json, "type") ?? "");

    private static string ReadLabel(JsonObject json, string name) =>
        json["metadata"] is JsonObject metadata && OptionalText(metadata, "displayText") is { Length: > 0 } title && title != name
            ? $"{title} ({name})"
            : name;

    private static ConnectionNode ReadConnection(JsonObject json)
    {
        var (source, target) = (Object(json["source"]), Object(json["target"]));
        return new ConnectionNode(RequiredText(source, "activity")!, OptionalText(source, "port") ?? Outcome.Done, RequiredText(target, "activity")!);
    }

    private static VariableNode ReadVariable(JsonObject json) =>
        new(ReadName(json, "id"), ReadName(json, "name"), ActivityTree.Value(json, "value"))
        {
            TypeName = OptionalText(json, "typeName") ?? "Object",
            IsArray = json["isArray"]?.GetValueKind() == JsonValueKind.True,
        };

    /// <summary>Names are stored in the database and shown in messages, so each is one line of text, and not a long one.</summary>
    private static string ReadName(JsonObject json, string property)
    {
        var name = RequiredText(json, property);
        return name is { Length: > 0 and <= MaxNameLength } && !name.Any(char.IsControl)
            ? name
            : throw new WorkflowDefinitionException($"Each {property} in a definition is one line of 1 to {MaxNameLength} characters; '{Shorten(name)}' is not.");
    }

    private static string Shorten(string? name) => new([.. (name ?? "").Take(40).Select(c => char.IsControl(c) ? '\uFFFD' : c)]);

    private static int ReadVersion(JsonNode? json)
    {
        if (json is not JsonValue value || value.GetValueKind() != JsonValueKind.Number)
            throw new InvalidOperationException("A version is a number.");
        return value.TryGetValue<int>(out var version)
            ? version
            : throw new WorkflowDefinitionException($"The version of an activity is a whole number, not {json.ToJsonString()}.");
    }

    private static string? OptionalText(JsonObject json, string name) => ActivityTree.Text(json, name);

    private static string? RequiredText(JsonObject json, string name) =>
        json.TryGetPropertyValue(name, out var value) ? value?.GetValue<string>() : throw new KeyNotFoundException($"There is no {name}.");

    private static IEnumerable<JsonObject> Children(JsonObject json, string name) => json[name] is JsonArray list ? list.Select(Object) : [];

    private static JsonObject Object(JsonNode? json) => json as JsonObject ?? throw new InvalidOperationException("An object was expected.");
}

/// <summary>Identifies a definition's text by its hash.</summary>
public sealed record DocumentHash(byte[] Bytes)
{
    public string Hex { get; } = Convert.ToHexString(Bytes);

    public static DocumentHash Of(string text) => new(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}

/// <summary>The inputs that a definition may declare: every request provides a value for each.</summary>
internal static class WorkflowInputs
{
    public static IReadOnlyList<string> Names { get; } = ["RequestId", "Run", "FileName", "Products", "Images"];
}

/// <summary>A flowchart: activities and the connections between them, both in any order.</summary>
internal sealed record FlowchartNode(string NodeId, IReadOnlyList<ActivityNode> Activities, IReadOnlyList<ConnectionNode> Connections)
{
    /// <summary>Its activities, nested ones included.</summary>
    public int Count => Activities.Sum(activity => 1 + activity.Nested.Values.Sum(nested => nested.Count));
}

/// <summary>An activity and its place. <paramref name="NodeId"/> is the path of ids from the root: unique in the definition.</summary>
internal sealed record ActivityNode(
    string Id, string NodeId, string Type, int Version, string Name,
    IReadOnlyDictionary<string, ExpressionNode> Inputs, FlowchartNode? Body)
{
    /// <summary>What messages call it: its title on the canvas, plus its name if that differs.</summary>
    public string Label { get; init; } = Name;

    /// <summary>Outputs that are bound to variables: the variable's id by the output's name.</summary>
    public IReadOnlyDictionary<string, string> Bindings { get; init; } = new Dictionary<string, string>();

    /// <summary>Values without an expression around them, by property.</summary>
    public IReadOnlyDictionary<string, JsonElement> Raw { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>Which of its values journals keep.</summary>
    public LogPersistence Logs { get; init; } = LogPersistence.Default;

    /// <summary>The flowcharts in its embedded ports, by port.</summary>
    public IReadOnlyDictionary<string, FlowchartNode> Nested { get; init; } = new Dictionary<string, FlowchartNode>();
}

/// <summary>Leads from an activity's outcome to the next activity.</summary>
internal sealed record ConnectionNode(string Source, string Outcome, string Target);

/// <summary>An input's value as written: Literal, Variable, Input, JavaScript, ...</summary>
internal sealed record ExpressionNode(string Type, JsonElement Value);

/// <summary>A workflow variable and its initial value.</summary>
internal sealed record VariableNode(string Id, string Name, JsonElement Value)
{
    /// <summary>Elsa's alias of its type, such as String or Int32.</summary>
    public string TypeName { get; init; } = "Object";

    public bool IsArray { get; init; }
}
