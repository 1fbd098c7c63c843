using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Darkroom.Tests.Api;
using Microsoft.AspNetCore.SignalR.Client;

namespace Darkroom.Tests.Elsa.Instances;

/// <summary>Short names for Studio's requests about runs.</summary>
internal static class ElsaClient
{
    public const string Base = "/elsa/api";

    public static async Task<JsonElement> PostJsonAsync(
        this HttpClient client, string path, object? body = null, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var response = await client.PostAsJsonAsync(Base + path, body ?? new { });
        return await response.JsonAsync(expected);
    }

    public static Task<JsonElement> ElsaAsync(this HttpClient client, string path) => client.GetJsonAsync(Base + path);

    /// <summary>The instances that match, and how many match in all.</summary>
    public static async Task<(IReadOnlyList<JsonElement> Items, long Total)> SearchAsync(this HttpClient client, object? search = null)
    {
        var page = await client.PostJsonAsync("/workflow-instances", search);
        return ([.. page.GetProperty("items").EnumerateArray()], page.GetProperty("totalCount").GetInt64());
    }

    public static async Task<IReadOnlyList<JsonElement>> JournalAsync(this HttpClient client, string id, object? filter = null) =>
        [.. (await client.PostJsonAsync($"/workflow-instances/{id}/journal?skip=0&take=1000", new { filter })).GetProperty("items").EnumerateArray()];

    /// <summary>The counts of each activity by its id.</summary>
    public static async Task<IReadOnlyDictionary<string, JsonElement>> ReportAsync(this HttpClient client, string id, params string[] nodes) =>
        ById(await client.PostJsonAsync("/activity-executions/report", new { workflowInstanceId = id, activityNodeIds = nodes }));

    public static IReadOnlyDictionary<string, JsonElement> ById(JsonElement stats) =>
        stats.GetProperty("stats").EnumerateArray().ToDictionary(stat => stat.GetProperty("activityId").GetString()!);

    public static string Text(this JsonElement json, string name) => json.GetProperty(name).GetString()!;

    public static long Number(this JsonElement json, string name) => json.GetProperty(name).GetInt64();

    /// <summary>A connection to the hub with the client's API key.</summary>
    public static async Task<HubConnection> ConnectAsync(this HttpClient client)
    {
        var connection = new HubConnectionBuilder()
            .WithUrl(new Uri(client.BaseAddress!, "/elsa/hubs/workflow-instance"), options =>
            {
                if (client.DefaultRequestHeaders.Authorization is { } key)
                    options.Headers["Authorization"] = key.ToString();
            })
            .Build();
        await connection.StartAsync();
        return connection;
    }
}
