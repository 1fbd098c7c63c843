using Microsoft.Playwright;

namespace Darkroom.Tests.Infrastructure;

/// <summary>The installed browser, because Playwright's own builds cannot be downloaded everywhere. <c>DARKROOM_TEST_CHROMIUM</c> selects another one.</summary>
public sealed class Chromium : IAsyncLifetime
{
    // The headless shell comes first, because it is twice as fast.
    private static readonly string[] Names = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chromium.exe", "chrome.exe"];

    // Works as root in a container, without a display, and does not check for updates.
    private static readonly string[] Arguments =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--disable-dev-shm-usage",
    ];

    // Studio starts within seconds, but a busy machine may take minutes.
    private const float TimeoutMs = 180_000;

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>Null if no Chromium is installed.</summary>
    public static string? ExecutablePath { get; } = Find();

    public async Task InitializeAsync()
    {
        if (ExecutablePath is null)
            return;
        Assertions.SetDefaultExpectTimeout(TimeoutMs);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = ExecutablePath, Args = Arguments });
    }

    /// <summary>A page in a fresh browser context, without cookies or storage.</summary>
    public async Task<IPage> NewPageAsync(BrowserNewContextOptions? options = null)
    {
        var context = await _browser!.NewContextAsync(options);
        context.SetDefaultTimeout(TimeoutMs);
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
        if (Environment.GetEnvironmentVariable("DARKROOM_TEST_CHROMIUM") is { Length: > 0 } configured)
            return configured;
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return Names.SelectMany(name => folders.Select(folder => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
    }
}

/// <summary>A test in a real browser; skipped with a reason if none is installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ChromiumFactAttribute : FactAttribute
{
    public ChromiumFactAttribute()
    {
        if (Chromium.ExecutablePath is null)
            Skip = "No Chromium on the PATH (Debian: apt-get install chromium), and DARKROOM_TEST_CHROMIUM is not set.";
    }
}
