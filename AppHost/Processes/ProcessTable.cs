using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Darkroom.AppHost.Processes;

/// <summary>Looks up running processes, including those that are not our children.</summary>
internal static class ProcessTable
{
    /// <summary>Also false for a zombie process.</summary>
    public static bool IsRunning(int pid) => StartTimeOf(pid) is not null;

    /// <summary>
    /// The start time of the process, in system-specific ticks. Distinguishes it from a later process with the same id. Null if no
    /// such process is running.
    /// </summary>
    public static long? StartTimeOf(int pid)
    {
        try
        {
            if (OperatingSystem.IsLinux())
            {
                // proc(5): the name may contain any characters but ends at the last parenthesis. State (field 3) and start time (22) follow it.
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
