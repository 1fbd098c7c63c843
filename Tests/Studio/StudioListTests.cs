using System.Net.Http.Json;
using Darkroom.Access;
using Darkroom.Tests.Infrastructure;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Darkroom.Tests.Studio;

/// <summary>Workflows are created, published, run and deleted in the list.</summary>
public sealed class StudioListTests(Chromium chromium) : StudioTest(chromium)
{
    [StudioFact]
    public async Task A_refused_list_action_says_why_and_the_list_stays_usable()
    {
        var key = await Product.KeyAsync(Scopes.WorkflowsEdit);
        using var client = Client(key);
        var half = new { id = "f", type = "Elsa.Flowchart", version = 1, activities = new[] { new { id = "c", name = "Compress1", type = "Darkroom.CompressImage", version = 1 } } };
        using var created = await client.PostAsJsonAsync("/elsa/api/workflow-definitions", new { model = new { name = "Half", root = half } });
        created.EnsureSuccessStatusCode();
        await Page.OpenStudioAsync(Product.Origin, key);

        await Page.PickAsync("Half", "Publish");
        await Expect(Page.Notice()).ToContainTextAsync("Compress1: Darkroom.CompressImage belongs in the body of a fan-out.");
        await Page.PickAsync("Half", "Run");
        await Expect(Page.Message()).ToContainTextAsync("cannot be started");
        await Page.PickAsync("image-compression", "Delete", confirm: "Delete");
        await Expect(Page.Notice()).ToContainTextAsync("This is the workflow that requests run when they name none");
        await Page.PickAsync("image-compression", "Cancel", confirm: "Yes");
        await Expect(Page.Notice()).ToHaveTextAsync("0 instances were cancelled.Close");

        await Expect(Page.Locator("#blazor-error-ui")).ToBeHiddenAsync();
        await Page.PickAsync("Half", "Delete", confirm: "Delete");
        await Expect(Page.Locator("tbody tr")).ToHaveCountAsync(1);
    }

    [StudioFact]
    public async Task A_workflow_created_in_the_list_opens_in_the_editor()
    {
        await Page.OpenStudioAsync(Product.Origin, await Product.KeyAsync(Scopes.WorkflowsEdit));

        await Page.GetByRole(AriaRole.Button, new() { Name = "Create workflow" }).ClickAsync();
        var dialog = Page.Locator(".mud-dialog");
        await dialog.Locator("input[type=text], input:not([type])").First.FillAsync("Thumbnails");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Ok" }).ClickAsync();

        await Page.WaitForURLAsync("**/studio/workflows/definitions/*/edit", new() { WaitUntil = WaitUntilState.DOMContentLoaded });
        await Expect(Page).ToHaveTitleAsync("Thumbnails · Darkroom");
        Watch.AssertQuiet();
    }
}
