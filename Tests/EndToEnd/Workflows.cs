using System.Text.Json.Nodes;
using Darkroom.Engine;
using Darkroom.Schema;
using Npgsql;

namespace Darkroom.Tests.EndToEnd;

/// <summary>Publishes variations of the shipped workflow, as somebody would who edits it.</summary>
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

                insert into workflow_definitions (id, definition_id, version, name, is_latest, is_published, document)
                values (@id, @definition, @version, @definition, true, true, @document)
                """)
            .With("id", $"{definitionId}-{version}")
            .With("definition", definitionId)
            .With("version", version)
            .With("document", document.ToJsonString())
            .ExecuteNonQueryAsync();
    }
}

internal sealed class EditedWorkflow(JsonNode document)
{
    /// <summary>Sets an input to a literal, which is text whatever the input takes.</summary>
    /// <param name="activity">Its id, wherever it stands.</param>
    /// <param name="input">Its name in the document.</param>
    /// <param name="literal">The value.</param>
    public void SetInput(string activity, string input, string literal) =>
        Find(document["root"]!, activity)![input] = new JsonObject
        {
            ["typeName"] = "String",
            ["expression"] = new JsonObject { ["type"] = "Literal", ["value"] = literal },
            ["memoryReference"] = null,
        };

    private static JsonNode? Find(JsonNode flowchart, string activity)
    {
        foreach (var candidate in flowchart["activities"]!.AsArray())
        {
            if ((string?)candidate!["id"] == activity) return candidate;
            if (candidate["body"] is { } body && Find(body, activity) is { } found) return found;
        }

        return null;
    }
}
