using System.Text.Json.Nodes;

namespace Darkroom.Tests.Engine;

/// <summary>Builds definitions as Studio would save them: a root flowchart, activities by id and type, connections by outcome.</summary>
internal sealed class WorkflowJson
{
    private readonly JsonArray _activities = [];
    private readonly JsonArray _connections = [];
    private readonly JsonArray _variables = [];

    public WorkflowJson Activity(string id, string type, params (string Input, string ExpressionType, JsonNode? Value)[] inputs)
    {
        var activity = new JsonObject { ["id"] = id, ["type"] = type, ["version"] = 1, ["name"] = id };
        foreach (var (input, expressionType, value) in inputs)
            activity[input] = new JsonObject { ["typeName"] = null, ["expression"] = new JsonObject { ["type"] = expressionType, ["value"] = value } };
        _activities.Add(activity);
        return this;
    }

    public WorkflowJson WithBody(string id, WorkflowJson body)
    {
        _activities.Single(a => (string)a!["id"]! == id)!["body"] = body.Flowchart("body");
        return this;
    }

    public WorkflowJson Connect(string source, string outcome, string target)
    {
        _connections.Add(new JsonObject
        {
            ["source"] = new JsonObject { ["activity"] = source, ["port"] = outcome },
            ["target"] = new JsonObject { ["activity"] = target, ["port"] = "In" },
        });
        return this;
    }

    public WorkflowJson Variable(string id, string name, string value)
    {
        _variables.Add(new JsonObject { ["id"] = id, ["name"] = name, ["typeName"] = "String", ["value"] = value });
        return this;
    }

    public string Build() =>
        new JsonObject { ["definitionId"] = "test", ["variables"] = _variables.DeepClone(), ["root"] = Flowchart("Flowchart1") }.ToJsonString();

    private JsonObject Flowchart(string id) => new()
    {
        ["id"] = id,
        ["type"] = "Elsa.Flowchart",
        ["version"] = 1,
        ["activities"] = _activities.DeepClone(),
        ["connections"] = _connections.DeepClone(),
    };
}
