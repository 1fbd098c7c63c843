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
    private const string DisplayText = "displayText";

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
        var title = Title(original);
        Copy(placeholder, original);
        // Elsa itself titles its placeholders, which is not what the author called the activity.
        if (Title(original)?.StartsWith("Not Found: ", StringComparison.Ordinal) == true)
            SetTitle((JsonObject)original["metadata"]!, title);
        return original;
    });

    private static string? Title(JsonObject activity) =>
        activity["metadata"] is JsonObject metadata ? ActivityTree.Text(metadata, DisplayText) : null;

    private static void SetTitle(JsonObject metadata, string? title)
    {
        if (title is null)
            metadata.Remove(DisplayText);
        else
            metadata[DisplayText] = title;
    }

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
