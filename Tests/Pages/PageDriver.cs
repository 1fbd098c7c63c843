using System.Text;
using Microsoft.Playwright;

namespace Darkroom.Tests.Pages;

/// <summary>The actions of a user on the page.</summary>
internal static class PageDriver
{
    public static async Task SignInAsync(this IPage page, string key)
    {
        await page.GetByLabel("API key").FillAsync(key);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
    }

    public static Task UploadAsync(this IPage page, string name, string content) => page.UploadAsync(name, Encoding.UTF8.GetBytes(content));

    public static Task UploadAsync(this IPage page, string name, byte[] content) =>
        page.Locator("#file").SetInputFilesAsync(new FilePayload { Name = name, MimeType = "text/csv", Buffer = content });
}
