using Darkroom.Access;
using Darkroom.Tests.EndToEnd;
using Darkroom.Tests.Infrastructure;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Darkroom.Tests.Studio;

/// <summary>Users who only watch: with a read-only key, and with a key that is revoked while they watch.</summary>
public sealed class StudioViewerTests(Chromium chromium) : StudioTest(chromium)
{
    [StudioFact]
    public async Task A_user_who_may_only_read_sees_the_workflow_but_cannot_change_it()
    {
        await Page.OpenStudioAsync(Product.Origin, await Product.KeyAsync(Scopes.WorkflowsRead), Editor);

        await Expect(Page.Activity("Validate CSV")).ToBeVisibleAsync();
        await Expect(Page.GetByText("View only", new() { Exact = true })).ToBeVisibleAsync();
        await Expect(Page.GetByText("Auto-save")).ToHaveCountAsync(0);
        await Expect(Page.Locator("button.mud-icon-button.mud-primary-text")).ToHaveCountAsync(0);
    }

    [StudioFact]
    public async Task A_run_is_shown_until_the_session_ends_and_then_redirects_to_sign_in()
    {
        var key = await Product.KeyAsync(Scopes.Requests, Scopes.WorkflowsRead);
        using var client = Client(key);
        using var form = new MultipartFormDataContent { { new StringContent($"{ProductCsv.Header}\n1,Chair,{Product.Images.Good(1)}\n"), "file", "products.csv" } };
        using var accepted = await client.PostAsync("/v1/requests", form);
        accepted.EnsureSuccessStatusCode();
        await Page.OpenStudioAsync(Product.Origin, key, "workflows/instances");

        await Page.Locator("tbody tr", new() { HasText = "Image compression" }).First.ClickAsync();
        await Page.WaitForViewAsync("workflows/instances/*/view");
        await Expect(Page.Activity("Validate CSV")).ToBeVisibleAsync();

        // The page notices by itself, on its next request or within a minute.
        await Product.RevokeAsync(key);

        await Expect(Page.GetByRole(AriaRole.Heading, new() { Name = "Sign in to workflows" })).ToBeVisibleAsync();
        Assert.Contains("return=%2Fstudio%2Fworkflows%2Finstances", Page.Url, StringComparison.Ordinal);
    }
}
