using System.Text.Json;
using System.Text.Json.Nodes;

namespace Darkroom.Engine.Definitions;

/// <summary>
/// Treats unknown activity types as Elsa does: an editor sees a placeholder that carries the original, and saving turns the
/// placeholder back into the original. Without it an editor shows an empty canvas, and saves that.
/// </summary>
internal static class MissingActivities
{
    private const string Original = "originalActivityJson";

    /// <summary>What an editor may change on a placeholder.</summary>
    private static readonly string[] Editable = ["id", "nodeId", "name", "customProperties", "metadata"];

    public static JsonObject Hide(JsonObject root, ActivityCatalog catalog) => ActivityTree.Replace(root, activity =>
    {
        var (type, version) = ActivityTree.TypeOf(activity);
        if (type is ActivityTree.Flowchart or ActivityTree.NotFound || catalog.Knows(type, version))
            return activity;
        var placeholder = new JsonObject { ["type"] = ActivityTree.NotFound, ["version"] = 1 };
        Copy(activity, placeholder);
        placeholder["missingTypeName"] = type;
        placeholder["missingTypeVersion"] = version;
        placeholder[Original] = activity.ToJsonString();
        return placeholder;
    });

    public static JsonObject Restore(JsonObject root) => ActivityTree.Replace(root, placeholder =>
    {
        if (ActivityTree.TypeOf(placeholder).Type != ActivityTree.NotFound || Parse(ActivityTree.Text(placeholder, Original)) is not { } original)
            return placeholder;
        Copy(placeholder, original);
        return original;
    });

    private static void Copy(JsonObject from, JsonObject to)
    {
        foreach (var name in Editable)
            if (from[name] is { } value)
                to[name] = value.DeepClone();
    }

    private static JsonObject? Parse(string? json)
    {
        try
        {
            return json is null ? null : JsonNode.Parse(json) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
