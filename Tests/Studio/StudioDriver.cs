using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Darkroom.Tests.Studio;

/// <summary>User actions in Studio.</summary>
internal static class StudioDriver
{
    private const string Definitions = "workflows/definitions";

    public static async Task OpenStudioAsync(this IPage page, string origin, string key, string view = Definitions)
    {
        await page.GotoAsync($"{origin}/studio/{view}");
        await page.GetByLabel("API key").FillAsync(key);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
        await page.WaitForViewAsync(view);
        // A loaded list writes its page number into the URL, and that navigation closes every open dialog.
        if (view == Definitions)
            await page.WaitForURLAsync("**/studio/workflows/definitions?page=*", new() { WaitUntil = WaitUntilState.DOMContentLoaded });
    }

    public static async Task WaitForViewAsync(this IPage page, string view)
    {
        await page.WaitForURLAsync($"**/studio/{view}*", new() { WaitUntil = WaitUntilState.DOMContentLoaded });
        await Expect(page.Locator("#dr-loading")).ToBeHiddenAsync();
    }

    /// <summary>Selects an activity on the open canvas. One that is selected already lies under a box that takes clicks, so nothing is selected first.</summary>
    public static async Task SelectAsync(this IPage page, string activity)
    {
        await page.Locator(".x6-graph").First.ClickAsync(new() { Position = new() { X = 5, Y = 5 } });
        await Expect(page.Locator(".x6-widget-selection-box")).ToHaveCountAsync(0);
        await page.Activity(activity).ClickAsync();
    }

    public static ILocator Activity(this IPage page, string activity) => page.Locator(".x6-node", new() { HasText = activity }).First;

    /// <summary>Types into an input of the selected activity and returns when autosave has saved it.</summary>
    public static async Task WriteInputAsync(this IPage page, string hint, string value)
    {
        var input = page.Locator(".mud-input-control", new() { HasText = hint }).Locator("input").First;
        await input.WaitForAsync();
        await page.SavedAsync(async () =>
        {
            await input.FillAsync(value);
            await input.PressAsync("Tab");
        });
    }

    /// <summary>Opens the body of the fan-out.</summary>
    public static async Task OpenBodyAsync(this IPage page)
    {
        await page.GetByText("Each image", new() { Exact = true }).First.ClickAsync();
        await Expect(page.Activity("Download image")).ToBeVisibleAsync();
    }

    /// <summary>Drags an activity from the toolbox to a place on the canvas where it covers no other.</summary>
    public static async Task DropAsync(this IPage page, string category, string activity, float x, float y)
    {
        await page.GetByText(category, new() { Exact = true }).ClickAsync();
        var item = page.Locator("[draggable=true]", new() { HasText = activity }).First;
        await item.WaitForAsync();
        await page.SettledAsync();
        await page.SavedAsync(async () =>
        {
            // A browser may miss the start of a drag while a busy machine delays its page. Then nothing is dropped, and people try again.
            var dropped = page.Activity(activity);
            for (var tries = 0; tries < 3 && !await dropped.IsVisibleAsync(); tries++)
            {
                await item.DragToAsync(page.Locator(".x6-graph").First, new() { TargetPosition = new() { X = x, Y = y } });
                await page.WaitedForAsync(dropped);
            }
        });
        await Expect(page.Activity(activity)).ToBeVisibleAsync();
    }

    /// <summary>Removes the connection between two activities that are side by side.</summary>
    public static async Task CutAsync(this IPage page, string source, string target)
    {
        var (from, to) = (await page.PortAsync(source, "out"), await page.PortAsync(target, "in"));
        await page.Mouse.ClickAsync((from.X + to.X) / 2, (from.Y + to.Y) / 2);
        await page.SavedAsync(() => page.Keyboard.PressAsync("Delete"));
    }

    public static async Task ConnectAsync(this IPage page, string source, string target)
    {
        var (from, to) = (await page.PortAsync(source, "out"), await page.PortAsync(target, "in"));
        await page.SavedAsync(async () =>
        {
            await page.Mouse.MoveAsync(from.X, from.Y);
            await page.Mouse.DownAsync();
            await page.Mouse.MoveAsync((from.X + to.X) / 2, (from.Y + to.Y) / 2, new() { Steps = 5 });
            await page.Mouse.MoveAsync(to.X, to.Y, new() { Steps = 5 });
            await page.Mouse.UpAsync();
        });
    }

    /// <summary>Presses Run and waits for the viewer of the new instance; returns the instance's id.</summary>
    public static async Task<string> RunAsync(this IPage page)
    {
        await page.Locator("button:has(path[d^='M8 5v14'])").Last.ClickAsync();
        await page.WaitForViewAsync("workflows/instances/*/view");
        return new Uri(page.Url).Segments[^2].TrimEnd('/');
    }

    /// <summary>Picks an action in a list row's menu, and confirms it if asked.</summary>
    public static async Task PickAsync(this IPage page, string row, string action, string? confirm = null)
    {
        await page.Locator("tbody tr", new() { HasText = row }).Locator("button").Last.ClickAsync();
        await page.Locator(".mud-popover-open .mud-menu-item").GetByText(action, new() { Exact = true }).ClickAsync();
        if (confirm is not null)
            await page.Locator(".mud-dialog button", new() { HasText = confirm }).ClickAsync();
    }

    /// <summary>Messages that our own page shows next to Studio.</summary>
    public static ILocator Notice(this IPage page) => page.Locator("#dr-notices .dr-notice");

    /// <summary>Presses Publish and returns the response's status.</summary>
    public static async Task<int> PublishAsync(this IPage page)
    {
        var response = await page.RunAndWaitForResponseAsync(
            () => page.Locator("button.mud-icon-button.mud-primary-text").Last.ClickAsync(), IsSave);
        return response.Status;
    }

    public static ILocator Message(this IPage page) => page.Locator(".mud-snackbar");

    /// <summary>Changes the definition and waits until autosave has saved it and Studio has loaded the response.</summary>
    private static async Task SavedAsync(this IPage page, Func<Task> change)
    {
        // After a save Studio reloads the activity types and redraws.
        var drawn = page.WaitForResponseAsync(response => response.Url.Contains("/descriptors/activities", StringComparison.Ordinal));
        var saved = await page.RunAndWaitForResponseAsync(change, IsSave);
        Assert.Equal(200, saved.Status);
        await drawn;
    }

    /// <summary>Waits until nothing moves: what is about to be dragged would slip from under the pointer.</summary>
    private static async Task SettledAsync(this IPage page) =>
        await page.WaitForFunctionAsync("() => document.getAnimations().every(animation => !(animation instanceof CSSTransition))");

    /// <summary>Waits until it is visible, but not for ever.</summary>
    private static async Task WaitedForAsync(this IPage page, ILocator locator)
    {
        try
        {
            await locator.WaitForAsync(new() { Timeout = 30_000 });
        }
        catch (TimeoutException)
        {
            await page.SettledAsync();
        }
    }

    private static async Task<(float X, float Y)> PortAsync(this IPage page, string activity, string side)
    {
        var box = await page.Activity(activity).Locator($".x6-port-{side} circle").First.BoundingBoxAsync();
        return (box!.X + (box.Width / 2), box.Y + (box.Height / 2));
    }

    private static bool IsSave(IResponse response) =>
        response.Request.Method == "POST" && response.Url.EndsWith("/elsa/api/workflow-definitions", StringComparison.Ordinal);
}
