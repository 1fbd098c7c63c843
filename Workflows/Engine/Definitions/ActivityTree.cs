using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Darkroom.Engine.Definitions;

/// <summary>The activities of a definition's JSON, as a tree: those of a flowchart, and those that an activity embeds in a port.</summary>
internal static class ActivityTree
{
    public const string Flowchart = "Elsa.Flowchart";
    public const string NotFound = "Elsa.NotFoundActivity";
    public const string RootNodeId = "Workflow1";

    /// <summary>Sets each activity's node id: the path of ids that leads to it.</summary>
    public static void AssignNodeIds(JsonObject root) => AssignNodeIds(root, RootNodeId);

    /// <summary>Replaces activities, outermost first; descends only into those that <paramref name="map"/> returns unchanged.</summary>
    public static JsonObject Replace(JsonObject activity, Func<JsonObject, JsonObject> map)
    {
        var replaced = map(activity);
        if (!ReferenceEquals(replaced, activity))
            return replaced;
        foreach (var (name, value) in activity.ToList())
        {
            if (IsActivity(value))
                Set(replaced => activity[name] = replaced, value.AsObject(), map);
            if (name != "activities" || value is not JsonArray children)
                continue;
            for (var i = 0; i < children.Count; i++)
            {
                var at = i;
                if (IsActivity(children[at]))
                    Set(replaced => children[at] = replaced, children[at]!.AsObject(), map);
            }
        }

        return activity;
    }

    /// <summary>The type and version that an activity names.</summary>
    public static (string Type, int Version) TypeOf(JsonObject activity) =>
        ((string)activity["type"]!, activity["version"] is JsonValue value && value.TryGetValue<int>(out var version) ? version : 1);

    /// <summary>The text of a property, or null if it is absent or not text.</summary>
    public static string? Text(JsonObject json, string name) => json[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    /// <summary>The value of a property; undefined if it is absent.</summary>
    public static JsonElement Value(JsonObject json, string name) =>
        json.TryGetPropertyValue(name, out var value) ? JsonSerializer.SerializeToElement(value, DefinitionSerializer.Format) : default;

    /// <summary>The objects of a list; none if it is absent.</summary>
    public static IEnumerable<JsonObject> Objects(JsonObject json, string list) => (json[list] as JsonArray ?? []).OfType<JsonObject>();

    // An expression has a type and no id; a variable has an id and no type.
    public static bool IsActivity([NotNullWhen(true)] JsonNode? json) => json is JsonObject found && Text(found, "id") is not null && Text(found, "type") is not null;

    private static void Set(Action<JsonObject> put, JsonObject child, Func<JsonObject, JsonObject> map)
    {
        var replaced = Replace(child, map);
        if (!ReferenceEquals(replaced, child))
            put(replaced);
    }

    private static void AssignNodeIds(JsonObject activity, string parentNodeId)
    {
        var nodeId = $"{parentNodeId}:{Text(activity, "id")}";
        activity["nodeId"] = nodeId;
        foreach (var (name, value) in activity.ToList())
        {
            if (IsActivity(value))
                AssignNodeIds(value.AsObject(), nodeId);
            if (name != "activities" || value is not JsonArray children)
                continue;
            foreach (var child in children.Where(IsActivity))
                AssignNodeIds(child!.AsObject(), nodeId);
        }
    }
}
