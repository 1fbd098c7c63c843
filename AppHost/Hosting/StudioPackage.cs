namespace Darkroom.AppHost.Hosting;

/// <summary>Installs Elsa Studio, an npm package of 46 MB, in the background of the start, where progress is visible, rather than silently during the build.</summary>
internal static class StudioPackage
{
    public const string Name = "studio-package";

    /// <summary>Adds the installation, unless it is up to date. The API serves Studio as soon as it is installed.</summary>
    public static void FetchStudio(this IDistributedApplicationBuilder builder)
    {
        var folder = Path.Combine(Repository.Root, "ApiService", "Studio");
        // npm writes this file last.
        var installed = new FileInfo(Path.Combine(folder, "node_modules", ".package-lock.json"));
        var locked = new FileInfo(Path.Combine(folder, "package-lock.json"));
        if (!locked.Exists || (installed.Exists && installed.LastWriteTimeUtc >= locked.LastWriteTimeUtc))
            return;
        (OperatingSystem.IsWindows()
                ? builder.AddExecutable(Name, "cmd.exe", folder, ["/d", "/c", "npm", "ci"])
                : builder.AddExecutable(Name, "npm", folder, "ci"))
            .ExcludeFromManifest()
            .WithIconName("ArrowDownload");
    }
}
