namespace Darkroom.AppHost.Hosting;

/// <summary>Where this clone lies, whatever the current directory.</summary>
internal static class Repository
{
    /// <summary>The folder of the solution; where there is none (a published host), the current directory.</summary>
    public static string Root { get; } = Find(AppContext.BaseDirectory) ?? Find(Environment.CurrentDirectory) ?? Environment.CurrentDirectory;

    private static string? Find(string start)
    {
        for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Aspire.sln"))) return folder.FullName;
        return null;
    }
}
