using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Darkroom.Tests.Infrastructure;

/// <summary>
/// Kills a child process if this process dies, or is killed by the test runner, without stopping it. A separate shell waits for its
/// standard input to close, which happens whenever this process ends; then it signals the child and deletes the folders.
/// </summary>
internal sealed class ChildWatchdog : IDisposable
{
    private const string Script =
        """
        trap '' INT TERM HUP
        pid=$1 signal=$2
        shift 2
        cat > /dev/null
        kill -s "$signal" "$pid" 2> /dev/null
        for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2> /dev/null || break; sleep 1; done
        kill -s KILL "$pid" 2> /dev/null
        [ $# -eq 0 ] || rm -rf -- "$@"
        """;

    // Keeps the shells reachable: if one were garbage-collected, its input would close and it would kill the child.
    private static readonly ConcurrentDictionary<Process, bool> Active = [];

    private readonly Process? _shell;

    private ChildWatchdog(Process? shell)
    {
        _shell = shell;
        if (shell is not null)
            Active[shell] = true;
    }

    /// <param name="pid">The child. Dispose the watchdog before this id can be reused.</param>
    /// <param name="signal">The first signal to send; SIGKILL follows ten seconds later.</param>
    /// <param name="folders">Folders to delete afterwards.</param>
    public static ChildWatchdog Start(int pid, string signal = "KILL", params string[] folders)
    {
        // Windows has no such shell, so there the child outlives a test run that is killed.
        if (OperatingSystem.IsWindows())
            return new ChildWatchdog(null);
        var start = new ProcessStartInfo("/bin/sh", ["-c", Script, "child-watchdog", pid.ToString(CultureInfo.InvariantCulture), signal, .. folders])
        {
            RedirectStandardInput = true,
            WorkingDirectory = "/",
        };
        return new ChildWatchdog(Process.Start(start));
    }

    /// <summary>Stops watching: the child has exited, or is about to be stopped by its owner.</summary>
    public void Dispose()
    {
        if (_shell is null || !Active.TryRemove(_shell, out _))
            return;
        _shell.Kill(entireProcessTree: true);
        _shell.Dispose();
    }
}
