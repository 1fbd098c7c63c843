using System.Text.Json;
using System.Text.Json.Nodes;
using Darkroom.Engine.Expressions;

namespace Darkroom.Api.Elsa.Descriptors;

/// <summary>The globals of a workflow's scripts, as TypeScript declarations for completion in Studio's editor.</summary>
internal static class ScriptDeclarations
{
    /// <param name="text">The definition; null for one that is not saved yet.</param>
    public static string For(string? text)
    {
        var definition = text is null ? null : JsonNode.Parse(text);
        return ScriptGlobals.Declare(Members(definition?["variables"], "typeName"), Members(definition?["inputs"], "type"));
    }

    private static List<ScriptMember> Members(JsonNode? members, string typeMember) =>
    [
        .. from member in (members as JsonArray ?? []).OfType<JsonObject>()
           let name = Text(member["name"])
           where name is { Length: > 0 }
           select new ScriptMember(name, TypeOf(Text(member[typeMember])) + (IsTrue(member["isArray"]) ? "[]" : "")),
    ];

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
