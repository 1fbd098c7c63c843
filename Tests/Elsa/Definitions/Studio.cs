using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Darkroom.Tests.Api;

namespace Darkroom.Tests.Elsa.Definitions;

/// <summary>One window of Studio: it holds a definition, sends all of it with each save, and continues with the response.</summary>
internal sealed class Studio(HttpClient client, string? window = null)
{
    public const string Base = "/elsa/api";

    public JsonObject Definition { get; private set; } = [];

    public string Id => (string)Definition["id"]!;

    public int Version => (int)Definition["version"]!;

    public HttpClient Client => client;

    public async Task<JsonObject> OpenAsync(string definitionId, string versionOptions = "Latest") =>
        Definition = await GetAsync($"/workflow-definitions/by-definition-id/{definitionId}?versionOptions={versionOptions}");

    /// <summary>What the create dialog sends.</summary>
    public async Task<string> CreateAsync(string name = "Mine", string rootType = "Elsa.Flowchart")
    {
        using var response = await PostAsync("/workflow-definitions", CreateBody(name, rootType));
        Definition = (await BodyAsync(response))["workflowDefinition"]!.AsObject();
        return (string)Definition["definitionId"]!;
    }

    public static JsonObject CreateBody(string name, string rootType = "Elsa.Flowchart") => new()
    {
        ["model"] = new JsonObject
        {
            ["definitionId"] = null,
            ["name"] = name,
            ["description"] = null,
            ["toolVersion"] = "3.8.2.0",
            ["variables"] = null,
            ["inputs"] = null,
            ["outputs"] = null,
            ["outcomes"] = null,
            ["customProperties"] = null,
            ["isReadonly"] = false,
            ["options"] = null,
            ["root"] = new JsonObject { ["id"] = "5f0e4c3b2a190807", ["type"] = rootType, ["version"] = 1, ["name"] = "Flowchart1" },
            ["links"] = null,
            ["createdAt"] = "0001-01-01T00:00:00+00:00",
            ["version"] = 1,
            ["isLatest"] = true,
            ["isPublished"] = false,
            ["id"] = null,
        },
        ["publish"] = null,
    };

    /// <summary>Autosave, or the Publish button.</summary>
    public async Task<HttpResponseMessage> TrySaveAsync(bool publish = false)
    {
        var model = Definition.DeepClone().AsObject();
        foreach (var name in (string[])["materializerName", "isMaterializerAvailable", "links"])
            model.Remove(name);
        model["links"] = null;
        return await PostAsync("/workflow-definitions", new JsonObject { ["model"] = model, ["publish"] = publish });
    }

    public async Task<JsonObject> SaveAsync(bool publish = false)
    {
        using var response = await TrySaveAsync(publish);
        var body = await BodyAsync(response);
        Definition = body["workflowDefinition"]!.AsObject();
        return body;
    }

    /// <summary>Saves, expects to be refused, and returns the reasons.</summary>
    public async Task<string[]> RefusedAsync(bool publish = false)
    {
        using var response = await TrySaveAsync(publish);
        return await ErrorsAsync(response);
    }

    public JsonObject Activity(string id) => Find(Definition["root"]!.AsObject(), id) ?? throw new InvalidOperationException($"No activity {id}.");

    public void Set(string activity, string input, string value, string language = "Literal") => Activity(activity)[input] = new JsonObject
    {
        ["typeName"] = null,
        ["expression"] = new JsonObject { ["type"] = language, ["value"] = value },
        ["memoryReference"] = null,
    };

    public JsonObject Root => Definition["root"]!.AsObject();

    /// <summary>The body of the fan-out.</summary>
    public JsonObject Body => Root["activities"]!.AsArray().Select(activity => activity!["body"]).OfType<JsonObject>().Single();

    /// <summary>Drops an activity on a canvas.</summary>
    public static void Add(JsonObject flowchart, string id, string type, Action<JsonObject>? change = null)
    {
        var activity = new JsonObject { ["id"] = id, ["name"] = id, ["type"] = type, ["version"] = 1, ["metadata"] = new JsonObject() };
        change?.Invoke(activity);
        flowchart["activities"]!.AsArray().Add(activity);
    }

    public static void Connect(JsonObject flowchart, string source, string port, string target) => flowchart["connections"]!.AsArray().Add(new JsonObject
    {
        ["source"] = new JsonObject { ["activity"] = source, ["port"] = port },
        ["target"] = new JsonObject { ["activity"] = target, ["port"] = "In" },
        ["vertices"] = new JsonArray(),
    });

    /// <summary>Removes an activity; its predecessors are connected to its successor.</summary>
    public static void Remove(JsonObject flowchart, string id)
    {
        var connections = flowchart["connections"]!.AsArray();
        var next = connections.SingleOrDefault(connection => (string)connection!["source"]!["activity"]! == id);
        foreach (var before in connections.Where(connection => (string)connection!["target"]!["activity"]! == id).ToList())
            if (next is null)
                connections.Remove(before);
            else
                before!["target"]!["activity"] = (string)next["target"]!["activity"]!;
        if (next is not null)
            connections.Remove(next);
        flowchart["activities"]!.AsArray().Remove(flowchart["activities"]!.AsArray().Single(activity => (string)activity!["id"]! == id));
    }

    public async Task<JsonObject> GetAsync(string path)
    {
        using var response = await client.GetAsync(Base + path);
        return await BodyAsync(response);
    }

    public async Task<HttpResponseMessage> PostAsync(string path, JsonNode? body = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Base + path)
        {
            Content = new StringContent((body ?? new JsonObject()).ToJsonString(), Encoding.UTF8, "application/json"),
        };
        if (window is not null)
            request.Headers.Add("Darkroom-Editor", window);
        return await client.SendAsync(request);
    }

    public async Task<JsonObject> PostOkAsync(string path, JsonNode? body = null)
    {
        using var response = await PostAsync(path, body);
        return await BodyAsync(response);
    }

    public async Task<JsonArray> HistoryAsync(string definitionId) =>
        (await GetAsync($"/workflow-definitions?versionOptions=AllVersions&Page=0&PageSize=10&DefinitionIds={definitionId}&OrderBy=Version&OrderDirection=Descending"))["items"]!.AsArray();

    public static async Task<JsonObject> BodyAsync(HttpResponseMessage response)
    {
        var json = await response.JsonAsync();
        return JsonNode.Parse(json.GetRawText())!.AsObject();
    }

    /// <summary>What Studio shows for a 400: every string under errors.</summary>
    public static async Task<string[]> ErrorsAsync(HttpResponseMessage response, HttpStatusCode status = HttpStatusCode.BadRequest)
    {
        var body = await response.JsonAsync(status);
        Assert.Equal((int)status, body.GetProperty("statusCode").GetInt32());
        return [.. body.GetProperty("errors").EnumerateObject().SelectMany(e => e.Value.EnumerateArray()).Select(e => e.GetString()!)];
    }

    private static JsonObject? Find(JsonObject activity, string id)
    {
        if ((string?)activity["id"] == id)
            return activity;
        var inside = (activity["activities"] as JsonArray ?? []).Concat([activity["body"]]);
        return inside.OfType<JsonObject>().Select(child => Find(child, id)).FirstOrDefault(found => found is not null);
    }
}
