using System.Reflection;
using Darkroom.Api;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.Studio;

/// <summary>A test of Elsa Studio itself in a real browser; skipped, with the reason, if either is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class StudioFactAttribute : FactAttribute
{
    public StudioFactAttribute()
    {
        if (Chromium.ExecutablePath is null)
            Skip = "No Chromium on the PATH (Debian: apt-get install chromium), and DARKROOM_TEST_CHROMIUM is not set.";
        else if (!IsInstalled)
            Skip = "Elsa Studio is not installed: npm is missing, or could not fetch it.";
    }

    internal static bool CanRun => Chromium.ExecutablePath is not null && IsInstalled;

    private static bool IsInstalled => typeof(ApiApp).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Any(metadata => metadata.Key == "StudioPackage" && File.Exists(Path.Combine(metadata.Value!, "package.json")));
}
