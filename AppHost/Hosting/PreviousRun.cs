using System.Text.Json;
using Darkroom.AppHost.Processes;

namespace Darkroom.AppHost.Hosting;

/// <summary>
/// Processes left behind by the last run if its host was killed. They exit on their own within a minute, but until then they hold on
/// to ports and data. They are identified by process id and start time, because an id may have been reused.
/// </summary>
internal sealed class PreviousRun(DataFolder data, TimeProvider time, TextWriter console)
{
    private static readonly TimeSpan ExitTimeout = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(200);

    private const string FileName = "processes.json";

    /// <summary>Saves the processes that are running now, for the next run to check.</summary>
    public static void SaveProcesses(DataFolder data, IEnumerable<(string Name, int Pid)> processes) =>
        PrivateFolder.WriteFile(data.PathTo(FileName), JsonSerializer.SerializeToUtf8Bytes(
            from process in processes
            let start = ProcessTable.StartTimeOf(process.Pid)
            where start is not null
            select new LeftoverProcess(process.Name, process.Pid, start.Value)));

    /// <summary>Waits until all of them have exited, and prints what it is waiting for.</summary>
    /// <exception cref="SettingException">A process is still running after <see cref="ExitTimeout"/>.</exception>
    public void WaitForExit()
    {
        var leftover = Read(data.Path);
        var started = time.GetTimestamp();
        var isPrinted = false;
        using var pause = new ManualResetEventSlim();
        while (leftover.Where(process => ProcessTable.StartTimeOf(process.Pid) == process.Start).ToList() is { Count: > 0 } running)
        {
            var names = string.Join(", ", running.Select(process => $"{process.Name} (process {process.Pid})"));
            if (!isPrinted)
                console.WriteLine($"  The last run was killed. Waiting for its processes to exit: {names}.");
            isPrinted = true;
            if (time.GetElapsedTime(started) > ExitTimeout)
                throw new SettingException($"Processes of the last run are still running: {names}. Stop them, then start again.");
            pause.Wait(PollInterval);
        }

        File.Delete(data.PathTo(FileName));
    }

    /// <summary>The processes that the current or last run in this data folder saved.</summary>
    internal static IReadOnlyList<LeftoverProcess> Read(string folder)
    {
        var file = Path.Combine(folder, FileName);
        return File.Exists(file) ? JsonSerializer.Deserialize<LeftoverProcess[]>(File.ReadAllBytes(file)) ?? [] : [];
    }

    /// <param name="Name">Display name of the resource.</param>
    /// <param name="Pid">Identifies the process together with <paramref name="Start"/>.</param>
    /// <param name="Start">Start time from <see cref="ProcessTable.StartTimeOf"/>.</param>
    internal sealed record LeftoverProcess(string Name, int Pid, long Start);
}
