using System.Text.Json.Nodes;
using Darkroom.Tests.Infrastructure;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Darkroom.Tests.Pages;

/// <summary>How the page handles expired keys, broken connections and hostile text.</summary>
public sealed class PageBehaviourTests(Chromium chromium) : IClassFixture<Chromium>, IAsyncLifetime
{
    private readonly PageSite _site = new();

    public Task InitializeAsync() => _site.StartAsync();

    public async Task DisposeAsync() => await _site.DisposeAsync();

    private string Origin => _site.Client.BaseAddress!.GetLeftPart(UriPartial.Authority);

    [ChromiumFact]
    public async Task An_expired_key_leads_to_sign_in_and_back_to_the_same_request()
    {
        var (page, api, watch) = await OpenAsync($"/?request={RequestId}");
        await SignInAsync(page);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "products.csv" })).ToBeVisibleAsync();

        api.KeyIsGood = false;
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("no longer accepted");
        api.KeyIsGood = true;
        await SignInAsync(page);

        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "products.csv" })).ToBeVisibleAsync();
        watch.AssertQuiet();
    }

    [ChromiumFact]
    public async Task The_key_is_stored_only_in_the_tab()
    {
        var (page, _, watch) = await OpenAsync("/");
        await SignInAsync(page);
        await Expect(page.GetByText("Recent requests")).ToBeVisibleAsync();

        Assert.Equal(0, await page.EvaluateAsync<int>("localStorage.length + document.cookie.length"));
        Assert.DoesNotContain(FakeApi.GoodKey, page.Url, StringComparison.Ordinal);
        await page.ReloadAsync();
        await Expect(page.GetByText("Recent requests")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        Assert.Equal(0, await page.EvaluateAsync<int>("sessionStorage.length"));
        watch.AssertQuiet();
    }

    [ChromiumFact]
    public async Task A_lost_connection_is_shown_and_recovers_without_a_reload()
    {
        var (page, api, watch) = await OpenAsync($"/?request={RequestId}");
        await SignInAsync(page);
        await Expect(page.GetByText("In progress")).ToBeVisibleAsync();

        api.Before = async route =>
        {
            await route.AbortAsync();
            return true;
        };
        await Expect(page.GetByText("The server cannot be reached")).ToBeVisibleAsync();
        api.Request["status"] = "completed";
        api.Request["processing_percentage"] = 100;
        api.Request["revision"] = 4;
        api.Before = _ => Task.FromResult(false);

        await Expect(page.Locator(".pill", new() { HasText = "Done" })).ToBeVisibleAsync();
        await Expect(page.GetByText("The server cannot be reached")).ToBeHiddenAsync();
        watch.AssertQuiet();
    }

    [ChromiumFact]
    public async Task Polling_is_conditional_and_respects_Retry_After()
    {
        var (page, api, watch) = await OpenAsync($"/?request={RequestId}");
        await SignInAsync(page);
        await page.WaitForResponseAsync(response => response.Status == 304);
        await page.WaitForResponseAsync(response => response.Status == 304);

        var status = api.Calls.Where(call => call.Url.EndsWith(RequestId, StringComparison.Ordinal)).ToList();
        Assert.All(status.Skip(1), call => Assert.Equal("W/\"3\"", call.Headers.GetValueOrDefault("if-none-match")));
        Assert.Single(api.Calls, call => call.Url.Contains("/images", StringComparison.Ordinal));
        var slow = await page.EvaluateAsync<double[]>(
            """
            async () => {
              const { nextDelay } = await import("/pages/poller.js");
              return [
                nextDelay({ failures: 0, retryAfter: 5, hidden: false }),
                nextDelay({ failures: 3, retryAfter: null, hidden: false }),
                nextDelay({ failures: 9, retryAfter: null, hidden: false }),
                nextDelay({ failures: 0, retryAfter: 1, hidden: true }),
              ];
            }
            """);
        Assert.Equal([5, 8, 30, 30], slow);
        watch.AssertQuiet();
    }

    [ChromiumFact]
    public async Task An_interrupted_upload_is_retried_with_the_same_idempotency_key()
    {
        var (page, api, watch) = await OpenAsync("/");
        await SignInAsync(page);
        var keys = new List<string?>();
        api.Before = async route =>
        {
            if (route.Request.Method != "POST")
                return false;
            keys.Add(await route.Request.HeaderValueAsync("idempotency-key"));
            if (keys.Count == 1)
                await route.AbortAsync();
            else
                await FakeApi.JsonAsync(route, 202, api.Request.DeepClone());
            return true;
        };
        await UploadAsync(page, "products.csv", "a,b\n");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Connection lost" })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();

        // Not its state: the list of recent requests shows one too.
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "products.csv" })).ToBeVisibleAsync();
        Assert.Equal(2, keys.Count);
        Assert.Equal(keys[0], keys[1]);
        Assert.Equal(32, keys[0]!.Length);
        watch.AssertQuiet();
    }

    [ChromiumFact]
    public async Task A_workflow_can_be_selected_if_there_are_several()
    {
        var (page, api, watch) = await OpenAsync("/");
        // The browser does not always give the interceptor the body of a form with a file, so the page encodes the form once more.
        await page.EvaluateAsync(
            """
            () => {
              const send = XMLHttpRequest.prototype.send;
              XMLHttpRequest.prototype.send = function (form) { window.sent = new Response(form).text(); send.call(this, form); };
            }
            """);
        api.Before = async route =>
        {
            if (route.Request.Url.EndsWith("/v1/workflows", StringComparison.Ordinal))
                await FakeApi.JsonAsync(route, 200, JsonNode.Parse(
                    """
                    {"items":[{"id":"thumbs","name":"Thumbnails","description":"Small ones.","version":3,"is_default":false},
                              {"id":"image-compression","name":"Image compression","description":null,"version":1,"is_default":true}]}
                    """)!);
            else if (route.Request.Method == "POST")
                await FakeApi.JsonAsync(route, 202, api.Request.DeepClone());
            else
                return false;
            return true;
        };
        await SignInAsync(page);
        var choice = page.GetByLabel("Workflow", new() { Exact = true });
        await Expect(choice).ToHaveValueAsync("image-compression");
        await choice.SelectOptionAsync("Thumbnails");
        await Expect(page.GetByText("Small ones.")).ToBeVisibleAsync();
        await UploadAsync(page, "products.csv", "a,b\n");

        await Expect(page.GetByText("In progress")).ToBeVisibleAsync();
        Assert.Contains("name=\"workflow\"\r\n\r\nthumbs", await page.EvaluateAsync<string>("window.sent"), StringComparison.Ordinal);
        watch.AssertQuiet();
    }

    [ChromiumFact]
    public async Task An_invalid_webhook_URL_is_rejected_before_the_upload()
    {
        var (page, api, watch) = await OpenAsync("/");
        await SignInAsync(page);
        await page.GetByText("Notify a webhook").ClickAsync();
        await page.GetByLabel("Webhook URL").FillAsync("javascript:alert(1)");
        await UploadAsync(page, "products.csv", "a,b\n");

        await Expect(page.GetByText("This is not a web address")).ToBeVisibleAsync();
        Assert.DoesNotContain(api.Calls, call => call.Method == "POST");
        watch.AssertQuiet();
    }

    [ChromiumFact]
    public async Task Hostile_text_in_any_field_is_shown_as_text()
    {
        var (page, api, watch) = await OpenAsync($"/?request={RequestId}");
        FillWithHostileWords(api);
        await SignInAsync(page);

        foreach (var word in HostileWords)
            await Expect(page.Locator(".image-name").Filter(new() { HasText = word }).First).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = HostileWords[0] })).ToBeVisibleAsync();
        Assert.Equal(0, await page.Locator("main script, main iframe, main object, main a[href^='javascript'], main a[href^='data'], main [onerror], main [onclick]").CountAsync());
        await page.GetByText("Details").ClickAsync();
        Assert.False(await page.EvaluateAsync<bool>("'pwned' in window"));
        watch.AssertQuiet();
    }

    [ChromiumFact]
    public async Task A_hostile_error_message_is_shown_as_text()
    {
        var (page, api, watch) = await OpenAsync("/");
        await SignInAsync(page);
        api.Before = async route =>
        {
            if (route.Request.Method != "POST")
                return false;
            var errors = new JsonArray([.. HostileWords.Select(word =>
                new JsonObject { ["line"] = 2, ["column"] = 3, ["code"] = word, ["message"] = word, ["value"] = word })]);
            await FakeApi.JsonAsync(route, 422, new JsonObject { ["title"] = HostileWords[0], ["detail"] = HostileWords[1], ["errors"] = errors, ["total_errors"] = 999 });
            return true;
        };
        await UploadAsync(page, "<img src=x onerror='window.pwned=1'>.csv", "a,b\n");

        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "999 problems" })).ToBeVisibleAsync();
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(HostileWords.Length);
        Assert.Equal(0, await page.Locator("main table img, main script").CountAsync());
        Assert.False(await page.EvaluateAsync<bool>("'pwned' in window"));
        watch.AssertQuiet();
    }

    [ChromiumFact]
    public async Task A_phone_needs_no_sideways_scrolling()
    {
        var page = await chromium.NewPageAsync(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = 360, Height = 740 } });
        var api = await FakeApi.OnAsync(page);
        FillWithHostileWords(api);
        await page.GotoAsync($"{Origin}/?request={RequestId}");
        await SignInAsync(page);
        await Expect(page.Locator(".image").First).ToBeVisibleAsync();

        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= document.documentElement.clientWidth"));
    }

    private const string RequestId = "5f0c5a52-61e5-4d1c-9f70-000000000001";

    private static readonly string[] HostileWords =
    [
        "<img src=x onerror=\"window.pwned=1\">",
        "<script>window.pwned=1</script>",
        "\"><svg onload=window.pwned=1>",
        "javascript:window.pwned=1",
        "{{constructor.constructor('window.pwned=1')()}}",
    ];

    private static void FillWithHostileWords(FakeApi api)
    {
        api.Request["file_name"] = HostileWords[0];
        api.Request["webhook_url"] = HostileWords[3];
        api.Request["error"] = new JsonObject { ["code"] = HostileWords[1], ["message"] = HostileWords[2] };
        api.Request["status"] = "failed";
        var row = 0;
        foreach (var word in HostileWords)
        {
            api.Images.Add(HostileImage(++row, word, "failed", new JsonObject { ["code"] = word, ["message"] = word }, null));
            api.Images.Add(HostileImage(++row, word, "succeeded", null, new JsonObject { ["type"] = word, ["bytes"] = 5, ["width"] = 10, ["height"] = 10, ["url"] = "javascript:window.pwned=1" }));
            api.Images.Add(HostileImage(++row, word, word, null, null));
        }
    }

    private static JsonObject HostileImage(int row, string word, string state, JsonObject? error, JsonObject? output) => new()
    {
        ["row"] = row,
        ["position"] = 1,
        ["serial"] = word,
        ["product_name"] = word,
        ["url"] = "javascript:window.pwned=1",
        ["state"] = state,
        ["attempts"] = 1,
        ["error"] = error,
        ["original"] = null,
        ["output"] = output,
    };

    private async Task<(IPage Page, FakeApi Api, PageWatch Watch)> OpenAsync(string address)
    {
        var page = await chromium.NewPageAsync();
        var watch = new PageWatch(page, Origin);
        var api = await FakeApi.OnAsync(page);
        await page.GotoAsync(Origin + address);
        return (page, api, watch);
    }

    private static Task SignInAsync(IPage page) => page.SignInAsync(FakeApi.GoodKey);

    private static Task UploadAsync(IPage page, string name, string content) => page.UploadAsync(name, content);
}
