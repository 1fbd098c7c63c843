using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Darkroom.AppHost.Hosting;
using Darkroom.AppHost.Processes;

namespace Darkroom.AppHost.Postgres;

/// <summary>
/// Where a cluster is stored, and which user runs it. Postgres refuses to run as root, so root starts it as another user. That user
/// needs access to every parent folder of the cluster and the programs; if it has none, both are placed in a system folder.
/// </summary>
internal sealed record ServerFolder(string Home, UnixUser? User)
{
    private const string SystemFolder = "/var/lib/darkroom";

    /// <summary>The cluster's data directory.</summary>
    public string Data => Path.Combine(Home, "data");

    /// <summary>The folder for downloaded programs.</summary>
    public static string ToolsFolder(string? configured, UnixUser? user)
    {
        var folder = configured ?? Path.Combine(PrivateFolder.Create(Path.Combine(Repository.Root, ".data")), "tools");
        if (user is not null && !OperatingSystem.IsWindows() && !IsReachable(folder))
            folder = Path.Combine(SystemFolder, "tools");
        return CreatePublic(folder);
    }

    /// <summary>The location that an earlier run chose; null if there is none, or if its initialization did not finish.</summary>
    public static ServerFolder? TryLoad(string folder)
    {
        var pointer = PointerPath(folder);
        if (!File.Exists(pointer))
            return null;
        var saved = JsonSerializer.Deserialize<Pointer>(File.ReadAllText(pointer))!;
        if (!Directory.Exists(saved.Home))
            return null;
        if (OperatingSystem.IsWindows())
            return new ServerFolder(saved.Home, null);
        if (!Unix.IsRoot)
        {
            return saved.User == Environment.UserName
                ? new ServerFolder(saved.Home, null)
                : throw new InvalidOperationException(
                    $"The database in {saved.Home} belongs to user {saved.User}: it was created when the AppHost ran as root. " +
                    $"Run it as root again, or delete {folder} to start over.");
        }

        return new ServerFolder(saved.Home, UnixUser.Find(saved.User)
            ?? throw new InvalidOperationException($"The database in {saved.Home} belongs to user {saved.User}, who no longer exists."));
    }

    /// <summary>Creates a new, empty location. Anything already there is left over from a deleted data folder or an interrupted initialization.</summary>
    public static ServerFolder CreateNew(string folder)
    {
        var local = Path.Combine(folder, "server");
        var server = !OperatingSystem.IsWindows() && Unix.IsRoot
            ? new ServerFolder(IsReachable(folder) ? local : Path.Combine(CreatePublic(SystemFolder), NameFor(folder)), UnixUser.ForPostgres())
            : new ServerFolder(local, null);
        if (Directory.Exists(server.Home))
            Directory.Delete(server.Home, recursive: true);
        PrivateFolder.Create(server.Home);
        if (server.User is { } user && !OperatingSystem.IsWindows())
            Unix.SetOwner(server.Home, user);
        return server;
    }

    /// <summary>Saves the location for later runs. Called last, so that a cluster without it is known to be incomplete.</summary>
    public void Save(string folder) =>
        PrivateFolder.WriteFile(
            PointerPath(folder), JsonSerializer.SerializeToUtf8Bytes(new Pointer(Home, User?.Name ?? Environment.UserName)));

    private static string PointerPath(string folder) => Path.Combine(folder, "location.json");

    private static string NameFor(string folder) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(folder))))[..16];

    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    private static bool IsReachable(string folder)
    {
        for (var parent = new DirectoryInfo(Path.GetFullPath(folder)); parent is not null; parent = parent.Parent)
            if (parent.Exists && !parent.UnixFileMode.HasFlag(UnixFileMode.OtherExecute))
                return false;
        return true;
    }

    private static string CreatePublic(string folder)
    {
        var missing = !Directory.Exists(folder);
        Directory.CreateDirectory(folder);
        if (missing && !OperatingSystem.IsWindows())
            File.SetUnixFileMode(
                folder,
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        return folder;
    }

    private sealed record Pointer(string Home, string User);
}
