using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace Darkroom.Tests.Pages;

/// <summary>Hears what a page must never do: run a script of someone else, ask a stranger for anything, or complain on the console.</summary>
internal sealed class PageWatch
{
    private readonly ConcurrentQueue<string> _errors = new();

    /// <param name="page">Watched from now on.</param>
    /// <param name="origins">Where its requests may go.</param>
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
            // The browser itself prints each answer of 400 and more, expected or not; what the page makes of it is asserted by the tests.
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
