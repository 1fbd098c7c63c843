using System.Net.Http.Json;
using System.Text.Json;
using Darkroom.Access;
using Darkroom.Tests.Infrastructure;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Darkroom.Tests.Studio;

/// <summary>Workflows are edited, published and watched.</summary>
public sealed class StudioEditorTests(Chromium chromium) : StudioTest(chromium)
{
    [StudioFact]
    public async Task A_workflow_is_opened_changed_refused_corrected_and_published()
    {
        var key = await Product.KeyAsync(Scopes.WorkflowsEdit);
        await Page.OpenStudioAsync(Product.Origin, key);
        await Page.GetByRole(AriaRole.Cell, new() { Name = "image-compression", Exact = true }).ClickAsync();
        await Page.WaitForViewAsync(Editor);
        await Page.OpenBodyAsync();
        await Page.SelectAsync("Compress image");

        await Page.WriteInputAsync("Encoder quality", "500");
        Assert.Equal(400, await Page.PublishAsync());
        await Expect(Page.Message()).ToContainTextAsync("Quality");
        // A refused change is saved, but not in effect.
        Assert.Equal(("500", false), await QualityAsync(key, "Latest"));

        await Page.WriteInputAsync("Encoder quality", "70");
        Assert.Equal(200, await Page.PublishAsync());
        await Expect(Page.Message().Filter(new() { HasText = "published" })).ToBeVisibleAsync();

        Assert.Equal(("70", true), await QualityAsync(key, "Published"));
        await Expect(Page).ToHaveTitleAsync("Image compression · Darkroom");
        AssertKeyIsNowhere(key, await Page.ContentAsync());
    }

    [StudioFact]
    public async Task An_activity_is_dragged_in_connected_published_and_watched_as_it_runs()
    {
        var key = await Product.KeyAsync(Scopes.Requests, Scopes.WorkflowsEdit);
        await Page.OpenStudioAsync(Product.Origin, key, Editor);
        await Page.OpenBodyAsync();

        await Page.DropAsync("Images", "Resize image", x: 300, y: 90);
        await Page.CutAsync("Store original", "Compress image");
        await Page.ConnectAsync("Store original", "Resize image");
        await Page.ConnectAsync("Resize image", "Compress image");
        await Page.SelectAsync("Resize image");
        Assert.Equal(400, await Page.PublishAsync());
        await Expect(Page.Message()).ToContainTextAsync("Width or Height must be given");
        await Page.WriteInputAsync("Width in pixels", "120");
        Assert.Equal(200, await Page.PublishAsync());

        var instance = await Page.RunAsync();
        await Page.OpenBodyAsync();
        // All three images of the sample completed it; the page updates by itself.
        await Expect(Page.Activity("Resize image").Locator(".mud-badge")).ToHaveTextAsync("3");
        await Expect(Page.Locator("tr", new() { HasText = "Sub status" })).ToContainTextAsync("Finished");

        using var client = Client(key);
        var request = (await client.GetFromJsonAsync<JsonElement>($"/elsa/api/workflow-instances/{instance}")).GetProperty("correlationId").GetString();
        var images = (await client.GetFromJsonAsync<JsonElement>($"/v1/requests/{request}/images")).GetProperty("items");
        Assert.Equal([120, 120, 120], images.EnumerateArray().Select(image => image.GetProperty("output").GetProperty("width").GetInt32()));
    }

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
