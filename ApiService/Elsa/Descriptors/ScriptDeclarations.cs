using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Darkroom.Api.Elsa.Descriptors;

/// <summary>What a script of a workflow finds, as TypeScript declarations: Studio's editor completes by them.</summary>
internal static class ScriptDeclarations
{
    /// <param name="document">The definition; null for one that is not saved yet.</param>
    public static string For(string? document)
    {
        var definition = document is null ? null : JsonNode.Parse(document);
        var text = new StringBuilder();
        text.AppendLine("/** The value of a workflow variable. */");
        text.AppendLine("declare function getVariable(name: string): any;");
        text.AppendLine("/** The value of an input of the workflow. */");
        text.AppendLine("declare function getInput(name: string): any;");
        AppendRecord(text, "variables", "The workflow's variables.", definition?["variables"], "typeName");
        AppendRecord(text, "input", "The workflow's inputs.", definition?["inputs"], "type");
        return text.ToString();
    }

    private static void AppendRecord(StringBuilder text, string name, string description, JsonNode? members, string typeMember)
    {
        text.AppendLine($"/** {description} */");
        text.AppendLine($"declare const {name}: {{");
        foreach (var member in (members as JsonArray ?? []).OfType<JsonObject>())
            if (Text(member["name"]) is { Length: > 0 } found)
                text.AppendLine($"  {JsonSerializer.Serialize(found)}: {TypeOf(Text(member[typeMember]))}{(IsTrue(member["isArray"]) ? "[]" : "")};");
        text.AppendLine("};");
    }

    private static string TypeOf(string? typeName) => typeName switch
    {
        "String" => "string",
        "Boolean" => "boolean",
        "Int32" or "Int64" or "Double" => "number",
        _ => "any",
    };

    private static string? Text(JsonNode? json) => json is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static bool IsTrue(JsonNode? json) => json?.GetValueKind() == JsonValueKind.True;
}
