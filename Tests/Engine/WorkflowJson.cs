using System.Text.Json.Nodes;

namespace Darkroom.Tests.Engine;

/// <summary>Builds definitions as Studio would save them: a root flowchart, activities with id and type, connections by outcome.</summary>
internal sealed class WorkflowJson
{
    private readonly JsonArray _activities = [];
    private readonly JsonArray _connections = [];
    private readonly JsonArray _variables = [];
    private JsonNode? _settings;

    public WorkflowJson Activity(string id, string type, params (string Input, string ExpressionType, JsonNode? Value)[] inputs)
    {
        _activities.Add(Node(id, type, inputs));
        return this;
    }

    /// <summary>Adds an activity that follows the last one through its Done outcome.</summary>
    public WorkflowJson Next(string id, string type, params (string Input, string ExpressionType, JsonNode? Value)[] inputs)
    {
        var last = (string?)_activities.LastOrDefault()?["id"];
        Activity(id, type, inputs);
        return last is null ? this : Connect(last, "Done", id);
    }

    public WorkflowJson WithBody(string id, WorkflowJson body)
    {
        _activities.Single(a => (string)a!["id"]! == id)!["body"] = body.Flowchart("body");
        return this;
    }

    /// <summary>Embeds a flowchart in a port such as Then.</summary>
    public WorkflowJson WithBranch(string id, string port, WorkflowJson branch)
    {
        _activities.Single(a => (string)a!["id"]! == id)![port] = branch.Flowchart(id + port);
        return this;
    }

    /// <summary>Sets a property that has no expression around it, or an output's binding.</summary>
    public WorkflowJson With(string id, string property, JsonNode value)
    {
        _activities.Single(a => (string)a!["id"]! == id)![property] = value;
        return this;
    }

    public WorkflowJson Connect(string source, string outcome, string target)
    {
        _connections.Add(Connection(source, outcome, target));
        return this;
    }

    public WorkflowJson Variable(string id, string name, string value, string type = "String")
    {
        _variables.Add(new JsonObject { ["id"] = id, ["name"] = name, ["typeName"] = type, ["value"] = value });
        return this;
    }

    /// <summary>Sets the custom properties of the workflow.</summary>
    public WorkflowJson WithSettings(JsonNode customProperties)
    {
        _settings = customProperties;
        return this;
    }

    public string Build() => new JsonObject
    {
        ["definitionId"] = "test",
        ["name"] = "Test",
        ["variables"] = _variables.DeepClone(),
        ["customProperties"] = _settings?.DeepClone() ?? new JsonObject(),
        ["root"] = Flowchart("Flowchart1"),
    }.ToJsonString();

    public static JsonObject Node(string id, string type, params (string Input, string ExpressionType, JsonNode? Value)[] inputs)
    {
        var activity = new JsonObject { ["id"] = id, ["type"] = type, ["version"] = 1, ["name"] = id };
        foreach (var (input, expressionType, value) in inputs)
            activity[input] = new JsonObject { ["typeName"] = null, ["expression"] = new JsonObject { ["type"] = expressionType, ["value"] = value } };
        return activity;
    }

    public static JsonObject Connection(string source, string outcome, string target) => new()
    {
        ["source"] = new JsonObject { ["activity"] = source, ["port"] = outcome },
        ["target"] = new JsonObject { ["activity"] = target, ["port"] = "In" },
    };

    public JsonObject Flowchart(string id) => new()
    {
        ["id"] = id,
        ["type"] = "Elsa.Flowchart",
        ["version"] = 1,
        ["activities"] = _activities.DeepClone(),
        ["connections"] = _connections.DeepClone(),
    };
}
