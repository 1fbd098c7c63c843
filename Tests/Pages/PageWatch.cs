using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace Darkroom.Tests.Pages;

/// <summary>Records what a page must never do: run foreign scripts, send requests to other origins, or log errors to the console.</summary>
internal sealed class PageWatch
{
    private readonly ConcurrentQueue<string> _errors = new();

    /// <param name="page">The page to watch.</param>
    /// <param name="origins">The origins that it may send requests to.</param>
    public PageWatch(IPage page, params string[] origins)
    {
        page.PageError += (_, error) => _errors.Enqueue($"error: {error}");
        page.Dialog += async (_, dialog) =>
        {
            _errors.Enqueue($"dialog: {dialog.Message}");
            await dialog.DismissAsync();
        };
        page.Console += (_, message) =>
        {
            // The browser logs every response with status 400 or higher, expected or not. The tests assert how the page handles them.
            if (message.Type is "error" or "warning" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal))
                _errors.Enqueue($"console: {message.Text}");
        };
        page.Request += (_, request) =>
        {
            var url = new Uri(request.Url);
            if (url.Scheme is not ("blob" or "data") && !origins.Contains(url.GetLeftPart(UriPartial.Authority), StringComparer.OrdinalIgnoreCase))
                _errors.Enqueue($"foreign request: {request.Url}");
        };
    }

    public void AssertQuiet() => Assert.Empty(_errors);
}
