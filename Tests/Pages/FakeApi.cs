using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;

namespace Darkroom.Tests.Pages;

/// <summary>
/// Answers the page's calls inside the browser, to simulate what the real API rarely or never does: an expired key, a broken
/// connection, hostile text in every field.
/// </summary>
internal sealed class FakeApi
{
    public const string GoodKey = "dk_test_key";

    public ConcurrentQueue<IRequest> Calls { get; } = new();

    /// <summary>Handles a call before the defaults do, if it returns true.</summary>
    public Func<IRoute, Task<bool>> Before { get; set; } = _ => Task.FromResult(false);

    public bool KeyIsGood { get; set; } = true;
    public JsonObject Request { get; } = NewRequest();
    public JsonArray Images { get; } = [];

    public static async Task<FakeApi> OnAsync(IPage page)
    {
        var api = new FakeApi();
        await page.RouteAsync("**/v1/**", api.AnswerAsync);
        return api;
    }

    public static JsonObject NewRequest() => new()
    {
        ["id"] = "5f0c5a52-61e5-4d1c-9f70-000000000001",
        ["status"] = "processing",
        ["processing_percentage"] = 50,
        ["no_of_products"] = 1,
        ["no_of_images"] = 2,
        ["images"] = new JsonObject { ["succeeded"] = 1, ["failed"] = 0, ["pending"] = 1, ["cancelled"] = 0 },
        ["bytes"] = new JsonObject { ["in"] = 1000, ["out"] = 400, ["saved"] = 600 },
        ["run"] = 1,
        ["revision"] = 3,
        ["file_name"] = "products.csv",
        ["workflow"] = new JsonObject { ["definition_id"] = "default", ["version"] = 1 },
        ["webhook_url"] = null,
        ["error"] = null,
        ["created_at"] = "2026-01-01T00:00:00Z",
        ["started_at"] = "2026-01-01T00:00:01Z",
        ["finished_at"] = null,
        ["updated_at"] = "2026-01-01T00:00:02Z",
        ["links"] = new JsonObject { ["output_csv"] = null },
    };

    public static Task JsonAsync(IRoute route, int status, JsonNode body, params (string Name, string Value)[] headers) =>
        route.FulfillAsync(new RouteFulfillOptions
        {
            Status = status,
            ContentType = status >= 400 ? "application/problem+json" : "application/json",
            Headers = headers.ToDictionary(header => header.Name, header => header.Value),
            Body = body.ToJsonString(),
        });

    private async Task AnswerAsync(IRoute route)
    {
        var request = route.Request;
        Calls.Enqueue(request);
        if (await Before(route))
            return;
        var path = new Uri(request.Url).AbsolutePath;
        if (!KeyIsGood || await request.HeaderValueAsync("authorization") != $"Bearer {GoodKey}")
            await JsonAsync(route, 401, new JsonObject { ["title"] = "Unauthorized" });
        else if (path.EndsWith("/images", StringComparison.Ordinal))
            await JsonAsync(route, 200, new JsonObject { ["items"] = Images.DeepClone(), ["next_cursor"] = null });
        else if (path == "/v1/requests" && request.Method == "GET")
            await JsonAsync(route, 200, new JsonObject { ["items"] = new JsonArray(Request.DeepClone()), ["next_cursor"] = null });
        else
            await StatusAsync(route);
    }

    private async Task StatusAsync(IRoute route)
    {
        var tag = $"W/\"{Request["revision"]}\"";
        if (await route.Request.HeaderValueAsync("if-none-match") == tag)
            await route.FulfillAsync(new RouteFulfillOptions { Status = 304, Headers = new Dictionary<string, string> { ["ETag"] = tag, ["Retry-After"] = "1" } });
        else
            await JsonAsync(route, 200, Request.DeepClone(), ("ETag", tag), ("Retry-After", "1"));
    }
}
