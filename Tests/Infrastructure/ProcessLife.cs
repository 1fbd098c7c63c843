using Darkroom.AppHost.Local.Processes;

namespace Darkroom.Tests.Infrastructure;

/// <summary>Whether processes that are not ours still run.</summary>
internal static class ProcessLife
{
    /// <summary>False also for one that was adopted and not yet collected: it has ended too.</summary>
    public static bool IsRunning(int pid)
    {
        if (OperatingSystem.IsLinux())
        {
            try
            {
                return !File.ReadAllText($"/proc/{pid}/stat").Split(')')[^1].StartsWith(" Z", StringComparison.Ordinal);
            }
            catch (IOException)
            {
                return false;
            }
        }

        return !OperatingSystem.IsWindows() && Unix.IsAlive(pid);
    }
}
