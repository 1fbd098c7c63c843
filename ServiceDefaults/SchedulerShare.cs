using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Microsoft.Extensions.Hosting;

/// <summary>This process' share of the processor.</summary>
public static partial class SchedulerShare
{
    /// <summary>
    /// Linux may share the cores between sessions rather than processes (sched(7), "The autogroup feature"), and whoever starts services
    /// may start all of them in its own: together they would get what a single decoder gets. A service that has no terminal therefore
    /// begins a session; with one, it stays where Ctrl+C reaches it. A service manager's services have sessions already.
    /// </summary>
    public static void TakeOwn()
    {
        if (OperatingSystem.IsLinux() && !HasTerminal())
            _ = StartSession();
    }

    private static bool HasTerminal()
    {
        try
        {
            using var terminal = File.OpenHandle("/dev/tty");
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    // Fails in a process that leads a session or a process group, which has no consequence.
    [LibraryImport("libc", EntryPoint = "setsid")]
    [SupportedOSPlatform("linux")]
    private static partial int StartSession();
}
