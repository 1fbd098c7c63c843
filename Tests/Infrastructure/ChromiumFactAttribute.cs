namespace Darkroom.Tests.Infrastructure;

/// <summary>A test in a real browser; skipped, with the reason, where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ChromiumFactAttribute : FactAttribute
{
    public ChromiumFactAttribute()
    {
        if (Chromium.ExecutablePath is null)
            Skip = "No Chromium on the PATH (Debian: apt-get install chromium), and DARKROOM_TEST_CHROMIUM is not set.";
    }
}
