namespace Darkroom.AppHost.Hosting;

/// <summary>Elsa Studio, an npm package of 46 MB: fetched beside the start, where it can be watched, rather than by the build, which says nothing.</summary>
internal static class StudioPackage
{
    public const string Name = "studio-package";

    /// <summary>Adds the fetching, if there is anything to fetch. The API serves Studio from the moment it is there.</summary>
    public static void FetchStudio(this IDistributedApplicationBuilder builder)
    {
        var folder = Path.Combine(Repository.Root, "ApiService", "Studio");
        // npm writes it last.
        var done = new FileInfo(Path.Combine(folder, "node_modules", ".package-lock.json"));
        var wanted = new FileInfo(Path.Combine(folder, "package-lock.json"));
        if (!wanted.Exists || (done.Exists && done.LastWriteTimeUtc >= wanted.LastWriteTimeUtc)) return;
        (OperatingSystem.IsWindows()
                ? builder.AddExecutable(Name, "cmd.exe", folder, ["/d", "/c", "npm", "ci"])
                : builder.AddExecutable(Name, "npm", folder, "ci"))
            .ExcludeFromManifest()
            .WithIconName("BoxArrowDown");
    }
}
