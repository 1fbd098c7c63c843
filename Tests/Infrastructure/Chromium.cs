using Microsoft.Playwright;

namespace Darkroom.Tests.Infrastructure;

/// <summary>The browser of this machine: the system's own, since Playwright's builds cannot be fetched everywhere. <c>DARKROOM_TEST_CHROMIUM</c> names another.</summary>
public sealed class Chromium : IAsyncLifetime
{
    // The first has no window to draw, and takes half the time.
    private static readonly string[] Names = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chromium.exe", "chrome.exe"];

    // It runs as root in containers, without a display, and asks nobody for updates.
    private static readonly string[] Arguments =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--disable-dev-shm-usage",
    ];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>Null where there is none.</summary>
    public static string? ExecutablePath { get; } = Find();

    public async Task InitializeAsync()
    {
        if (ExecutablePath is null)
            return;
        // A busy machine is no failure.
        Assertions.SetDefaultExpectTimeout(30_000);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = ExecutablePath, Args = Arguments });
    }

    /// <summary>A page with nothing remembered; <paramref name="watch"/> hears all that happens on it.</summary>
    public async Task<IPage> NewPageAsync(BrowserNewContextOptions? options = null)
    {
        var context = await _browser!.NewContextAsync(options);
        context.SetDefaultTimeout(30_000);
        return await context.NewPageAsync();
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("DARKROOM_TEST_CHROMIUM") is { Length: > 0 } given)
            return given;
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return Names.SelectMany(name => folders.Select(folder => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
    }
}
