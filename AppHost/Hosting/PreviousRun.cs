using System.Text.Json;
using Darkroom.AppHost.Processes;

namespace Darkroom.AppHost.Hosting;

/// <summary>
/// What the last run left behind if its host was killed: its processes end by themselves within a minute, and until then they hold
/// ports and data. They are known by process id and start, for an id may be another's by now.
/// </summary>
internal sealed class PreviousRun(DataFolder data, TimeProvider time, TextWriter console)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private const string Record = "processes.json";

    /// <summary>Remembers what runs now, for the run after this one.</summary>
    public static void Remember(DataFolder data, IEnumerable<(string Name, int Pid)> processes) =>
        PrivateFolder.WriteFile(data.Below(Record), JsonSerializer.SerializeToUtf8Bytes(
            from process in processes
            let start = ProcessLife.StartOf(process.Pid)
            where start is not null
            select new Left(process.Name, process.Pid, start.Value)));

    /// <summary>Returns when nothing of it runs any more, and says on the console what it waits for.</summary>
    /// <exception cref="SettingException">Something still runs after <see cref="Patience"/>.</exception>
    public void WaitForItsEnd()
    {
        var left = Read(data.Path);
        var started = time.GetTimestamp();
        var isSaid = false;
        using var pause = new ManualResetEventSlim();
        while (left.Where(process => ProcessLife.StartOf(process.Pid) == process.Start).ToList() is { Count: > 0 } running)
        {
            var names = string.Join(", ", running.Select(process => $"{process.Name} (process {process.Pid})"));
            if (!isSaid) console.WriteLine($"  The last run was killed. Waiting for what is left of it: {names}.");
            isSaid = true;
            if (time.GetElapsedTime(started) > Patience)
                throw new SettingException($"Still running from the last run: {names}. End it, then start again.");
            pause.Wait(Pause);
        }

        File.Delete(data.Below(Record));
    }

    /// <summary>What the run remembered that uses, or used, this data folder.</summary>
    internal static IReadOnlyList<Left> Read(string folder)
    {
        var file = Path.Combine(folder, Record);
        return File.Exists(file) ? JsonSerializer.Deserialize<Left[]>(File.ReadAllBytes(file)) ?? [] : [];
    }

    /// <param name="Name">Of the resource, for people.</param>
    /// <param name="Pid">With <paramref name="Start"/>, the process.</param>
    /// <param name="Start">As <see cref="ProcessLife.StartOf"/> has it.</param>
    internal sealed record Left(string Name, int Pid, long Start);
}
