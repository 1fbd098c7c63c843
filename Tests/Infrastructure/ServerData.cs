namespace Darkroom.Tests.Infrastructure;

/// <summary>Where the test run's servers keep their data: in memory if there is room, because creating a database takes a tenth of the time there.</summary>
internal static class ServerData
{
    private const string MemoryFolder = "/dev/shm";
    private const long RequiredBytes = 4L << 30;

    public static bool IsInMemory { get; } = OperatingSystem.IsLinux() && IsWritable() && new DriveInfo(MemoryFolder).AvailableFreeSpace >= RequiredBytes;

    public static string Root { get; } = IsInMemory ? MemoryFolder : Path.GetTempPath();

    /// <summary>A new, empty folder that only this user can enter.</summary>
    public static string CreateFolder(string prefix)
    {
        var folder = Path.Combine(Root, prefix + Guid.NewGuid().ToString("N"));
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return folder;
    }

    private static bool IsWritable()
    {
        try
        {
            using var file = new FileStream(
                Path.Combine(MemoryFolder, Path.GetRandomFileName()), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
