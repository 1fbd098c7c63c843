using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Darkroom.AppHost.Processes;

/// <summary>Whether processes that are not our children still run.</summary>
internal static class ProcessLife
{
    /// <summary>False also for one that has ended and was not collected yet.</summary>
    public static bool IsRunning(int pid) => StartOf(pid) is not null;

    /// <summary>
    /// When the process began, in ticks of a clock of the system: with its id, what tells it from a later process of the same id.
    /// Null if it does not run.
    /// </summary>
    public static long? StartOf(int pid)
    {
        try
        {
            if (OperatingSystem.IsLinux())
            {
                // proc(5): behind the name, which may hold anything but ends at the last parenthesis, come state (3) and start (22).
                var fields = File.ReadAllText($"/proc/{pid}/stat").Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
                return fields[0] == "Z" ? null : long.Parse(fields[19], CultureInfo.InvariantCulture);
            }

            using var process = Process.GetProcessById(pid);
            return process.HasExited ? null : process.StartTime.Ticks;
        }
        catch (Exception e) when (e is IOException or ArgumentException or InvalidOperationException or Win32Exception)
        {
            return null;
        }
    }
}
