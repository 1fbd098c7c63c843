using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Darkroom.AppHost.Processes;

/// <summary>System calls that .NET does not expose.</summary>
internal static partial class Unix
{
    // The signal numbers are the same on Linux and macOS.
    /// <summary>SIGINT.</summary>
    public const int Interrupt = 2;

    /// <summary>SIGKILL.</summary>
    public const int Kill = 9;

    /// <summary>SIGTERM.</summary>
    public const int Terminate = 15;

    [UnsupportedOSPlatform("windows")]
    public static bool IsRoot => GetEffectiveUserId() == 0;

    /// <summary>False if the process does not exist.</summary>
    [UnsupportedOSPlatform("windows")]
    public static bool Signal(int pid, int signal) => SendSignal(pid, signal) == 0;

    /// <exception cref="Win32Exception">The call failed.</exception>
    [UnsupportedOSPlatform("windows")]
    public static void SetOwner(string path, UnixUser user)
    {
        if (ChangeOwner(path, user.Id, user.Group) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"chown {path} failed: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUserId();

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint user, uint group);
}

/// <summary>A user from /etc/passwd.</summary>
internal sealed record UnixUser(string Name, uint Id, uint Group)
{
    /// <summary>The user that runs Postgres when we are root, which Postgres refuses: its own user if there is one, otherwise <c>nobody</c>.</summary>
    public static UnixUser ForPostgres() =>
        Find("postgres") ?? Find("_postgres") ?? Find("nobody")
        ?? throw new InvalidOperationException(
            "Postgres refuses to run as root, and this machine has neither a user 'postgres' nor 'nobody'. Start the AppHost as a regular user.");

    public static UnixUser? Find(string name) => ReadAll().FirstOrDefault(user => user.Name == name);

    private static IEnumerable<UnixUser> ReadAll() =>
        from line in File.ReadLines("/etc/passwd")
        let fields = line.Split(':')
        where fields.Length >= 4 && uint.TryParse(fields[2], out _) && uint.TryParse(fields[3], out _)
        select new UnixUser(
            fields[0], uint.Parse(fields[2], CultureInfo.InvariantCulture), uint.Parse(fields[3], CultureInfo.InvariantCulture));
}
