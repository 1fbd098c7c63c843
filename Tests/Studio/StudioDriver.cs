using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Darkroom.Tests.Studio;

/// <summary>What a person does in Studio. It takes seconds to start, and minutes on a busy machine.</summary>
internal static class StudioDriver
{
    private const float Patience = 180_000;

    public static async Task OpenStudioAsync(this IPage page, string origin, string key, string view = "workflows/definitions")
    {
        await page.GotoAsync($"{origin}/studio/{view}");
        await page.GetByLabel("API key").FillAsync(key);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
        await page.WaitForViewAsync(view);
    }

    public static async Task WaitForViewAsync(this IPage page, string view)
    {
        await page.WaitForURLAsync($"**/studio/{view}*", new() { Timeout = Patience, WaitUntil = WaitUntilState.DOMContentLoaded });
        await Expect(page.Locator("#dr-loading")).ToBeHiddenAsync(new() { Timeout = Patience });
    }

    /// <summary>Selects an activity on the canvas that is open.</summary>
    public static Task SelectAsync(this IPage page, string activity) => page.Activity(activity).ClickAsync(new() { Timeout = Patience });

    public static ILocator Activity(this IPage page, string activity) => page.Locator(".x6-node", new() { HasText = activity }).First;

    /// <summary>Writes an input of the selected activity and returns when autosave has kept it.</summary>
    public static async Task WriteInputAsync(this IPage page, string hint, string value)
    {
        var input = page.Locator(".mud-input-control", new() { HasText = hint }).Locator("input").First;
        await input.WaitForAsync(new() { Timeout = Patience });
        var saved = await page.RunAndWaitForResponseAsync(
            async () =>
            {
                await input.FillAsync(value);
                await input.PressAsync("Tab");
            },
            IsSave, new() { Timeout = Patience });
        Assert.Equal(200, saved.Status);
    }

    /// <summary>Presses Publish; the answer's status.</summary>
    public static async Task<int> PublishAsync(this IPage page)
    {
        var answer = await page.RunAndWaitForResponseAsync(
            () => page.Locator("button.mud-icon-button.mud-primary-text").Last.ClickAsync(), IsSave, new() { Timeout = Patience });
        return answer.Status;
    }

    public static ILocator Message(this IPage page) => page.Locator(".mud-snackbar");

    private static bool IsSave(IResponse response) =>
        response.Request.Method == "POST" && response.Url.EndsWith("/elsa/api/workflow-definitions", StringComparison.Ordinal);
}
