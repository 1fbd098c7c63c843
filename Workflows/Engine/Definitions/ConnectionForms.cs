using System.Text.Json;
using System.Text.Json.Nodes;

namespace Darkroom.Engine.Definitions;

/// <summary>
/// Reads connections in every form in which Elsa has written them: the ends as objects, as now, or as ids beside their ports, as before; and
/// those that an Elsa which did not know the activities at their ends has set aside.
/// </summary>
internal static class ConnectionForms
{
    private const string SetAside = "notFoundConnections";

    /// <summary>Brings the connections of all flowcharts into the present form, and puts back those whose ends both exist.</summary>
    public static JsonObject Restore(JsonObject root) => ActivityTree.Replace(root, activity =>
    {
        if (ActivityTree.TypeOf(activity).Type == ActivityTree.Flowchart)
            RestoreFlowchart(activity);
        return activity;
    });

    private static void RestoreFlowchart(JsonObject flowchart)
    {
        var connections = flowchart["connections"] as JsonArray;
        for (var i = 0; i < connections?.Count; i++)
            connections[i] = Present(connections[i]);

        if (flowchart["customProperties"] is not JsonObject custom || custom[SetAside] is not JsonArray aside)
            return;
        if (connections is null)
            flowchart["connections"] = connections = [];
        var activities = ActivityTree.Objects(flowchart, "activities").Select(activity => ActivityTree.Text(activity, "id")).OfType<string>().ToHashSet(StringComparer.Ordinal);
        foreach (var item in aside.ToList())
        {
            var connection = Present(item?.DeepClone());
            if (!Ends(connection).All(end => end is not null && activities.Contains(end)))
                continue;
            aside.Remove(item);
            if (!connections.Any(other => JsonNode.DeepEquals(other, connection)))
                connections.Add(connection);
        }

        if (aside.Count == 0)
            custom.Remove(SetAside);
    }

    private static JsonNode? Present(JsonNode? connection)
    {
        if (connection is not JsonObject older || older["source"]?.GetValueKind() != JsonValueKind.String || older["target"]?.GetValueKind() != JsonValueKind.String)
            return connection?.DeepClone();
        var present = (JsonObject)older.DeepClone();
        foreach (var end in (string[])["source", "target"])
        {
            var place = new JsonObject { ["activity"] = present[end]!.DeepClone() };
            if (present[$"{end}Port"] is { } port)
                place["port"] = port.DeepClone();
            present.Remove($"{end}Port");
            present[end] = place;
        }

        return present;
    }

    private static IEnumerable<string?> Ends(JsonNode? connection) =>
        ((string[])["source", "target"]).Select(end => (connection as JsonObject)?[end] is JsonObject place ? ActivityTree.Text(place, "activity") : null);
}
