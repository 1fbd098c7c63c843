using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Darkroom.AppHost.Processes;

/// <summary>The few system calls that .NET does not offer.</summary>
internal static partial class Unix
{
    // Linux and macOS share these numbers.
    /// <summary>SIGINT.</summary>
    public const int Interrupt = 2;

    /// <summary>SIGKILL.</summary>
    public const int Kill = 9;

    /// <summary>SIGTERM.</summary>
    public const int Terminate = 15;

    [UnsupportedOSPlatform("windows")]
    public static bool IsRoot => GetEffectiveUser() == 0;

    /// <summary>False if there is no such process (any more).</summary>
    [UnsupportedOSPlatform("windows")]
    public static bool Signal(int pid, int signal) => SendSignal(pid, signal) == 0;

    /// <exception cref="Win32Exception">The system refused.</exception>
    [UnsupportedOSPlatform("windows")]
    public static void GiveTo(UnixUser user, string path)
    {
        if (ChangeOwner(path, user.Id, user.Group) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"chown {path} failed: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUser();

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint user, uint group);
}
