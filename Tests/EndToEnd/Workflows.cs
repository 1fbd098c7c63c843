using System.Text.Json.Nodes;
using Darkroom.Data;
using Darkroom.Engine;
using Darkroom.Runs;
using Darkroom.Tests.Engine;
using Npgsql;

namespace Darkroom.Tests.EndToEnd;

/// <summary>Publishes edited versions of the built-in workflow.</summary>
internal static class Workflows
{
    public static async Task PublishAsync(NpgsqlDataSource database, string definitionId, int version, Action<EditedWorkflow> edit)
    {
        var document = JsonNode.Parse(DefinitionSeeder.Shipped().Single())!;
        document["id"] = $"{definitionId}-{version}";
        document["definitionId"] = definitionId;
        document["version"] = version;
        edit(new EditedWorkflow(document));
        await database.Sql(
                """
                update workflow_definitions
                set is_latest = false,
                    is_published = false
                where definition_id = @definition;

                insert into workflow_definitions (id, definition_id, version, name, is_latest, is_published, was_published, document)
                values (@id, @definition, @version, @definition, true, true, true, @document)
                """)
            .With("id", $"{definitionId}-{version}")
            .With("definition", definitionId)
            .With("version", version)
            .With("document", document.ToJsonString())
            .ExecuteNonQueryAsync();
    }
}

/// <summary>Edits a definition's JSON.</summary>
internal sealed class EditedWorkflow(JsonNode document)
{
    /// <summary>Sets an input to a literal, which is stored as text whatever the input's type.</summary>
    /// <param name="activity">The activity's id, at any level of nesting.</param>
    /// <param name="input">The input's name in the JSON.</param>
    /// <param name="literal">The value.</param>
    public void SetInput(string activity, string input, string literal) =>
        Find(document["root"]!, activity)![input] = new JsonObject
        {
            ["typeName"] = "String",
            ["expression"] = new JsonObject { ["type"] = "Literal", ["value"] = literal },
            ["memoryReference"] = null,
        };

    public void ReplaceBody(WorkflowJson body) => Find(document["root"]!, "fan-out")!["body"] = body.Flowchart("body");

    /// <summary>Adds a workflow variable whose id is its name.</summary>
    public void AddVariable(string name, string type, string value) =>
        document["variables"]!.AsArray().Add(new JsonObject { ["id"] = name, ["name"] = name, ["typeName"] = type, ["isArray"] = false, ["value"] = value });

    /// <summary>Inserts an activity into the connections that lead to another.</summary>
    public JsonNode InsertBefore(string next, string id, string type, params (string Input, string ExpressionType, JsonNode? Value)[] inputs)
    {
        var activity = WorkflowJson.Node(id, type, inputs);
        var flowchart = Find(document["root"]!, next)!.Parent!.Parent!;
        foreach (var connection in flowchart["connections"]!.AsArray().Where(connection => (string)connection!["target"]!["activity"]! == next))
            connection!["target"]!["activity"] = id;
        flowchart["activities"]!.AsArray().Add(activity);
        flowchart["connections"]!.AsArray().Add(WorkflowJson.Connection(id, Outcome.Done, next));
        return activity;
    }

    private static JsonNode? Find(JsonNode flowchart, string activity)
    {
        foreach (var candidate in flowchart["activities"]!.AsArray())
        {
            if ((string?)candidate!["id"] == activity)
                return candidate;
            if (candidate["body"] is { } body && Find(body, activity) is { } found)
                return found;
        }

        return null;
    }
}
