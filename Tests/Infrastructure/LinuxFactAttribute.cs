namespace Darkroom.Tests.Infrastructure;

/// <summary>A test of what only Linux can do; elsewhere the product does without, and says so.</summary>
public sealed class LinuxFactAttribute : FactAttribute
{
    public LinuxFactAttribute()
    {
        if (!OperatingSystem.IsLinux())
            Skip = "Needs Linux.";
    }
}
