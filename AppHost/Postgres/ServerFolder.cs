using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Darkroom.AppHost.Hosting;
using Darkroom.AppHost.Processes;

namespace Darkroom.AppHost.Postgres;

/// <summary>
/// Where a cluster lies, and who runs it. Postgres refuses root, so root hands it to another user, who must be able to walk
/// through every parent of the cluster and of the programs: where he cannot, both go to a system folder.
/// </summary>
internal sealed record ServerFolder(string Home, UnixUser? User)
{
    private const string SystemFolder = "/var/lib/darkroom";

    /// <summary>The cluster itself.</summary>
    public string Data => Path.Combine(Home, "data");

    /// <summary>The folder of downloaded programs.</summary>
    public static string Tools(string? given, UnixUser? user)
    {
        var folder = given ?? Path.Combine(PrivateFolder.Create(Path.Combine(Repository.Root, ".data")), "tools");
        if (user is not null && !OperatingSystem.IsWindows() && !IsReachable(folder)) folder = Path.Combine(SystemFolder, "tools");
        return CreatePublic(folder);
    }

    /// <summary>The place that an earlier run chose; null if there was none, or it did not come to its end.</summary>
    public static ServerFolder? Recorded(string folder)
    {
        var pointer = PointerIn(folder);
        if (!File.Exists(pointer)) return null;
        var recorded = JsonSerializer.Deserialize<Pointer>(File.ReadAllText(pointer))!;
        if (!Directory.Exists(recorded.Home)) return null;
        if (OperatingSystem.IsWindows()) return new ServerFolder(recorded.Home, null);
        if (!Unix.IsRoot)
        {
            return recorded.User == Environment.UserName
                ? new ServerFolder(recorded.Home, null)
                : throw new InvalidOperationException(
                    $"The database in {recorded.Home} belongs to user {recorded.User}: it was made when the AppHost ran as root. " +
                    $"Run it as root again, or delete {folder} to start anew.");
        }

        return new ServerFolder(recorded.Home, UnixUser.Find(recorded.User)
            ?? throw new InvalidOperationException($"The database in {recorded.Home} belongs to user {recorded.User}, who no longer exists."));
    }

    /// <summary>A fresh, empty place. What lies there is left over from a folder that was deleted, or from a set-up cut short.</summary>
    public static ServerFolder Fresh(string folder)
    {
        var here = Path.Combine(folder, "server");
        var server = !OperatingSystem.IsWindows() && Unix.IsRoot
            ? new ServerFolder(IsReachable(folder) ? here : Path.Combine(CreatePublic(SystemFolder), NameFor(folder)), UnixUser.ForServers())
            : new ServerFolder(here, null);
        if (Directory.Exists(server.Home)) Directory.Delete(server.Home, recursive: true);
        PrivateFolder.Create(server.Home);
        if (server.User is { } user && !OperatingSystem.IsWindows()) Unix.GiveTo(user, server.Home);
        return server;
    }

    /// <summary>From now on the place is found again. Written last, so that a cluster without it is known to be unfinished.</summary>
    public void Record(string folder) =>
        PrivateFolder.WriteFile(
            PointerIn(folder), JsonSerializer.SerializeToUtf8Bytes(new Pointer(Home, User?.Name ?? Environment.UserName)));

    private static string PointerIn(string folder) => Path.Combine(folder, "location.json");

    private static string NameFor(string folder) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(folder))))[..16];

    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    private static bool IsReachable(string folder)
    {
        for (var parent = new DirectoryInfo(Path.GetFullPath(folder)); parent is not null; parent = parent.Parent)
            if (parent.Exists && !parent.UnixFileMode.HasFlag(UnixFileMode.OtherExecute)) return false;
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
