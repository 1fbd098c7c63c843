using System.Globalization;

namespace Darkroom.Benchmarks.Product;

/// <summary>
/// CPU time and peak memory of named processes, from Linux's /proc. Those of workers include their decoders; the CPU time of Postgres includes its
/// child processes.
/// </summary>
internal sealed class ProcessMeter(IEnumerable<(string Name, int Pid)> processes)
{
    // USER_HZ, which is 100 on every Linux platform that .NET supports.
    private const double TicksPerSecond = 100;

    private static bool HasChildren(string name) => name == "postgres" || IsWorker(name);

    private static bool IsWorker(string name) => name.StartsWith("worker", StringComparison.Ordinal);

    private readonly List<(string Name, int Pid)> _processes = [.. processes];

    public void Add(string name, int pid) => _processes.Add((name, pid));

    /// <summary>CPU seconds that each process has used so far, and the whole machine under <c>machine</c>.</summary>
    public Dictionary<string, double> Cpu()
    {
        var all = ReadAll();
        var cpu = _processes.ToDictionary(process => process.Name, process => CpuOf(process.Pid, HasChildren(process.Name), all));
        var machine = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..]
            .Select(field => double.Parse(field, CultureInfo.InvariantCulture)).ToArray();
        cpu["machine"] = (machine[0] + machine[1] + machine[2] + machine[5] + machine[6]) / TicksPerSecond;
        return cpu;
    }

    /// <summary>Peak resident memory in MB since the last <see cref="ResetPeaks"/>. Those of a worker and its decoders are added up.</summary>
    public Dictionary<string, double> Peaks()
    {
        var all = ReadAll();
        return _processes.ToDictionary(process => process.Name, process => Math.Round(Family(process.Name, process.Pid, all).Sum(Peak)));
    }

    public void ResetPeaks()
    {
        var all = ReadAll();
        foreach (var pid in _processes.SelectMany(process => Family(process.Name, process.Pid, all)))
        {
            try
            {
                File.WriteAllText($"/proc/{pid}/clear_refs", "5");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The process belongs to another user, so its peak cannot be reset.
            }
        }
    }

    private static double Peak(int pid)
    {
        var line = File.ReadLines($"/proc/{pid}/status").First(text => text.StartsWith("VmHWM:", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }

    /// <summary>A process, and the decoders of a worker. The children of Postgres share most of their memory, so they do not count.</summary>
    private static IEnumerable<int> Family(string name, int pid, Dictionary<int, Stat> all) =>
        IsWorker(name) ? all.Where(child => child.Value.Parent == pid).Select(child => child.Key).Prepend(pid) : [pid];

    private static double CpuOf(int pid, bool withChildren, Dictionary<int, Stat> all)
    {
        if (!all.TryGetValue(pid, out var stat))
            return 0;
        return withChildren ? stat.Own + stat.Reaped + all.Values.Where(child => child.Parent == pid).Sum(child => child.Own) : stat.Own;
    }

    private static Dictionary<int, Stat> ReadAll()
    {
        var all = new Dictionary<int, Stat>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid))
                continue;
            try
            {
                var text = File.ReadAllText(Path.Combine(folder, "stat"));
                var end = text.LastIndexOf(')');
                var fields = text[(end + 2)..].Split(' ');
                double Seconds(int field) => double.Parse(fields[field], CultureInfo.InvariantCulture) / TicksPerSecond;
                all[pid] = new Stat(
                    int.Parse(fields[1], CultureInfo.InvariantCulture), Seconds(11) + Seconds(12), Seconds(13) + Seconds(14));
            }
            catch (IOException)
            {
                // The process has exited in the meantime.
            }
        }

        return all;
    }

    private readonly record struct Stat(int Parent, double Own, double Reaped);
}
