namespace Darkroom.AppHost.Hosting;

/// <summary>Locates the repository, independent of the current directory.</summary>
internal static class Repository
{
    /// <summary>The solution folder, or the current directory if there is none (a published host).</summary>
    public static string Root { get; } = Find(AppContext.BaseDirectory) ?? Find(Environment.CurrentDirectory) ?? Environment.CurrentDirectory;

    private static string? Find(string start)
    {
        for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Aspire.sln")))
                return folder.FullName;
        return null;
    }
}
