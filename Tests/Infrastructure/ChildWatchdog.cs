using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Darkroom.Tests.Infrastructure;

/// <summary>
/// What happens to a child process if this one dies, or is ended by the test runner, without having stopped it: a shell beside us
/// waits for its input to end, which it does with us, however that happens; then it signals the child and removes the folders.
/// </summary>
internal sealed class LastWill : IDisposable
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

    // Nothing else may hold it: collected, it would close the shell's input, and the will would come true.
    private static readonly ConcurrentDictionary<Process, bool> Alive = [];

    private readonly Process? _shell;

    private LastWill(Process? shell)
    {
        _shell = shell;
        if (shell is not null) Alive[shell] = true;
    }

    /// <param name="pid">The child. Its will is disposed before its id can be another's.</param>
    /// <param name="signal">What it is sent first; ten seconds later SIGKILL.</param>
    /// <param name="folders">Removed with everything in them.</param>
    public static LastWill Kill(int pid, string signal = "KILL", params string[] folders)
    {
        // Windows has no such shell: there a child outlives a test run that is ended by force.
        if (OperatingSystem.IsWindows()) return new LastWill(null);
        var start = new ProcessStartInfo("/bin/sh", ["-c", Script, "last-will", pid.ToString(CultureInfo.InvariantCulture), signal, .. folders])
        {
            RedirectStandardInput = true,
            WorkingDirectory = "/",
        };
        return new LastWill(Process.Start(start));
    }

    /// <summary>The child is in good hands again, or gone.</summary>
    public void Dispose()
    {
        if (_shell is null || !Alive.TryRemove(_shell, out _)) return;
        _shell.Kill(entireProcessTree: true);
        _shell.Dispose();
    }
}
