using System.Diagnostics;
using System.Globalization;

namespace Darkroom.Tests.Infrastructure;

/// <summary>The processes that a process has started.</summary>
internal static class ChildProcesses
{
    public static IReadOnlyList<int> Of(int parent)
    {
        using var ps = Process.Start(new ProcessStartInfo("ps", ["-e", "-o", "pid=,ppid="]) { RedirectStandardOutput = true })!;
        return
        [
            .. from line in ps.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)
               let ids = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
               where Id(ids[1]) == parent && Id(ids[0]) != ps.Id
               select Id(ids[0]),
        ];
    }

    /// <summary>Whether the process exists and has not ended.</summary>
    public static bool Exists(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static int Id(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
