using System.Net.Http.Json;
using System.Text.Json;
using Darkroom.Access;
using Darkroom.Tests.EndToEnd;
using Darkroom.Tests.Infrastructure;
using Darkroom.Tests.Pages;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Darkroom.Tests.Studio;

/// <summary>The genuine Elsa Studio in a browser, over the whole product.</summary>
public sealed class StudioTests(Chromium chromium) : IClassFixture<Chromium>, IAsyncLifetime
{
    private const string Editor = "workflows/definitions/image-compression/edit";

    private PageProduct _product = null!;
    private IPage _page = null!;
    private PageWatch _watch = null!;

    public async Task InitializeAsync()
    {
        if (!StudioFactAttribute.CanRun) return;
        _product = await PageProduct.StartAsync();
        _page = await chromium.NewPageAsync(new() { ViewportSize = new() { Width = 1500, Height = 950 } });
        _watch = new PageWatch(_page, _product.Origin);
    }

    public async Task DisposeAsync()
    {
        if (_product is not null) await _product.DisposeAsync();
    }

    [StudioFact]
    public async Task A_workflow_is_opened_changed_refused_put_right_and_published()
    {
        var key = await _product.KeyAsync(Scopes.WorkflowsEdit);
        await _page.OpenStudioAsync(_product.Origin, key);
        await _page.GetByRole(AriaRole.Cell, new() { Name = "image-compression", Exact = true }).ClickAsync();
        await _page.WaitForViewAsync(Editor);
        await _page.OpenBodyAsync();
        await _page.SelectAsync("Compress image");

        await _page.WriteInputAsync("Encoder quality", "500");
        Assert.Equal(400, await _page.PublishAsync());
        await Expect(_page.Message()).ToContainTextAsync("Quality");
        // Refused is not lost, and not in force either.
        Assert.Equal(("500", false), await QualityAsync(key, "Latest"));

        await _page.WriteInputAsync("Encoder quality", "70");
        Assert.Equal(200, await _page.PublishAsync());
        await Expect(_page.Message().Filter(new() { HasText = "published" })).ToBeVisibleAsync();

        Assert.Equal(("70", true), await QualityAsync(key, "Published"));
        await Expect(_page).ToHaveTitleAsync("Image compression · Darkroom");
        AssertKeyIsNowhere(key, await _page.ContentAsync());
    }

    [StudioFact]
    public async Task An_activity_is_dragged_in_connected_published_and_watched_as_it_runs()
    {
        var key = await _product.KeyAsync(Scopes.Requests, Scopes.WorkflowsEdit);
        await _page.OpenStudioAsync(_product.Origin, key, Editor);
        await _page.OpenBodyAsync();

        await _page.DropAsync("Images", "Resize image", x: 300, y: 90);
        await _page.CutAsync("Store original", "Compress image");
        await _page.ConnectAsync("Store original", "Resize image");
        await _page.ConnectAsync("Resize image", "Compress image");
        await _page.SelectAsync("Resize image");
        Assert.Equal(400, await _page.PublishAsync());
        await Expect(_page.Message()).ToContainTextAsync("Width or Height must be given");
        await _page.WriteInputAsync("Width in pixels", "120");
        Assert.Equal(200, await _page.PublishAsync());

        var instance = await _page.RunAsync();
        await _page.OpenBodyAsync();
        // Three images of the sample passed it; the page learns of it by itself.
        await Expect(_page.Activity("Resize image").Locator(".mud-badge")).ToHaveTextAsync("3", new() { Timeout = 180_000 });
        await Expect(_page.Locator("tr", new() { HasText = "Sub status" })).ToContainTextAsync("Finished", new() { Timeout = 180_000 });

        using var client = Client(key);
        var request = (await client.GetFromJsonAsync<JsonElement>($"/elsa/api/workflow-instances/{instance}")).GetProperty("correlationId").GetString();
        var images = (await client.GetFromJsonAsync<JsonElement>($"/v1/requests/{request}/images")).GetProperty("items");
        Assert.Equal([120, 120, 120], images.EnumerateArray().Select(image => image.GetProperty("output").GetProperty("width").GetInt32()));
    }

    [StudioFact]
    public async Task What_a_list_cannot_do_is_said_and_the_list_goes_on()
    {
        var key = await _product.KeyAsync(Scopes.WorkflowsEdit);
        using var client = Client(key);
        var half = new { id = "f", type = "Elsa.Flowchart", version = 1, activities = new[] { new { id = "c", name = "Compress1", type = "Darkroom.CompressImage", version = 1 } } };
        using var created = await client.PostAsJsonAsync("/elsa/api/workflow-definitions", new { model = new { name = "Half", root = half } });
        created.EnsureSuccessStatusCode();
        await _page.OpenStudioAsync(_product.Origin, key);

        await _page.PickAsync("Half", "Publish");
        await Expect(_page.Notice()).ToContainTextAsync("Compress1: Darkroom.CompressImage belongs in the body of a fan-out.");
        await _page.PickAsync("Half", "Run");
        await Expect(_page.Message()).ToContainTextAsync("cannot be started");
        await _page.PickAsync("image-compression", "Delete", confirm: "Delete");
        await Expect(_page.Notice()).ToContainTextAsync("This is the workflow that requests run when they name none");
        await _page.PickAsync("image-compression", "Cancel", confirm: "Yes");
        await Expect(_page.Notice()).ToHaveTextAsync("0 instances were cancelled.Close");

        await Expect(_page.Locator("#blazor-error-ui")).ToBeHiddenAsync();
        await _page.PickAsync("Half", "Delete", confirm: "Delete");
        await Expect(_page.Locator("tbody tr")).ToHaveCountAsync(1);
    }

    [StudioFact]
    public async Task A_new_workflow_begins_in_the_list_and_opens_in_the_editor()
    {
        await _page.OpenStudioAsync(_product.Origin, await _product.KeyAsync(Scopes.WorkflowsEdit));

        await _page.GetByRole(AriaRole.Button, new() { Name = "Create workflow" }).ClickAsync();
        var dialog = _page.Locator(".mud-dialog");
        await dialog.Locator("input[type=text], input:not([type])").First.FillAsync("Thumbnails");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Ok" }).ClickAsync();

        await _page.WaitForURLAsync("**/studio/workflows/definitions/*/edit", new() { Timeout = 180_000, WaitUntil = WaitUntilState.DOMContentLoaded });
        await Expect(_page).ToHaveTitleAsync("Thumbnails · Darkroom", new() { Timeout = 180_000 });
        _watch.AssertQuiet();
    }

    [StudioFact]
    public async Task Who_may_only_read_sees_the_workflow_and_no_way_to_change_it()
    {
        await _page.OpenStudioAsync(_product.Origin, await _product.KeyAsync(Scopes.WorkflowsRead), Editor);

        await Expect(_page.Activity("Validate CSV")).ToBeVisibleAsync(new() { Timeout = 180_000 });
        await Expect(_page.GetByText("View only", new() { Exact = true })).ToBeVisibleAsync();
        await Expect(_page.GetByText("Auto-save")).ToHaveCountAsync(0);
        await Expect(_page.Locator("button.mud-icon-button.mud-primary-text")).ToHaveCountAsync(0);
    }

    [StudioFact]
    public async Task A_run_is_seen_until_the_sign_in_ends_and_then_leads_to_the_sign_in()
    {
        var key = await _product.KeyAsync(Scopes.Requests, Scopes.WorkflowsRead);
        using var client = Client(key);
        using var form = new MultipartFormDataContent { { new StringContent($"{Csv.Header}\n1,Chair,{_product.Images.Good(1)}\n"), "file", "products.csv" } };
        using var accepted = await client.PostAsync("/v1/requests", form);
        accepted.EnsureSuccessStatusCode();
        await _page.OpenStudioAsync(_product.Origin, key, "workflows/instances");

        await _page.Locator("tbody tr", new() { HasText = "Image compression" }).First.ClickAsync(new() { Timeout = 180_000 });
        await _page.WaitForViewAsync("workflows/instances/*/view");
        await Expect(_page.Activity("Validate CSV")).ToBeVisibleAsync(new() { Timeout = 180_000 });

        // Nobody touches the page: it finds out by itself, at its next question or within a minute.
        await _product.RevokeAsync(key);

        await Expect(_page.GetByRole(AriaRole.Heading, new() { Name = "Sign in to workflows" })).ToBeVisibleAsync(new() { Timeout = 180_000 });
        Assert.Contains("return=%2Fstudio%2Fworkflows%2Finstances", _page.Url, StringComparison.Ordinal);
    }

    private HttpClient Client(string key) =>
        new() { BaseAddress = new Uri(_product.Origin), DefaultRequestHeaders = { Authorization = new("Bearer", key) } };

    private async Task<(string? Quality, bool IsPublished)> QualityAsync(string key, string version)
    {
        using var client = Client(key);
        var definition = await client.GetFromJsonAsync<JsonElement>($"/elsa/api/workflow-definitions/by-definition-id/image-compression?versionOptions={version}");
        var body = definition.GetProperty("root").GetProperty("activities").EnumerateArray().Single(activity => activity.TryGetProperty("body", out _));
        var compress = body.GetProperty("body").GetProperty("activities").EnumerateArray().Single(activity => activity.TryGetProperty("quality", out _));
        return (compress.GetProperty("quality").GetProperty("expression").GetProperty("value").ToString(), definition.GetProperty("isPublished").GetBoolean());
    }

    private static void AssertKeyIsNowhere(string key, string page) => Assert.DoesNotContain(key, page, StringComparison.Ordinal);
}
