using System.Diagnostics;
using System.Globalization;

namespace Darkroom.AppHost.Local.Processes;

/// <summary>
/// A small process beside ours that outlives us by a moment. It reads our orders from its standard input; when that ends, we are
/// gone, however it happened, and it ends the children and removes the folders that it was told of. Where the kernel has no
/// parent-death signal (macOS) this is what leaves no orphan.
/// </summary>
internal sealed class Warden
{
    internal const string Verb = "--warden";

    private static readonly Lazy<Warden> Instance = new(() => new Warden());
    private readonly StreamWriter _orders;

    private Warden()
    {
        var start = new ProcessStartInfo(Launcher.DotnetHost, [Launcher.Assembly, Verb])
        {
            RedirectStandardInput = true,
            UseShellExecute = false,
            CreateNoWindow = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        _orders = Process.Start(start)!.StandardInput;
        _orders.AutoFlush = true;
    }

    public static Warden Shared => Instance.Value;

    /// <summary>When we are gone, the process gets the signal.</summary>
    public void Guard(int pid, int signal) => Tell($"guard {pid} {signal}");

    /// <summary>The process has ended: its id may soon be another's.</summary>
    public void Release(int pid) => Tell($"release {pid}");

    /// <summary>When we are gone and the guarded processes too, the folder is removed.</summary>
    public void Remove(string folder) => Tell($"remove {folder}");

    private void Tell(string order)
    {
        lock (_orders) _orders.WriteLine(order);
    }

    /// <summary>The warden's own life. Ends the process.</summary>
    internal static void Run()
    {
        if (!OperatingSystem.IsWindows()) Unix.StartSession();
        var guarded = new Dictionary<int, int>();
        var folders = new List<string>();
        while (Console.In.ReadLine() is { } order)
        {
            if (order.Split(' ', 2) is not [var verb, var rest]) continue;
            switch (verb, rest.Split(' '))
            {
                case ("remove", _):
                    folders.Add(rest);
                    break;
                case ("guard", [var pid, var signal]):
                    guarded[int.Parse(pid, CultureInfo.InvariantCulture)] = int.Parse(signal, CultureInfo.InvariantCulture);
                    break;
                case ("release", [var pid]):
                    guarded.Remove(int.Parse(pid, CultureInfo.InvariantCulture));
                    break;
            }
        }

        foreach (var (pid, signal) in guarded) End(pid, signal);
        foreach (var folder in folders) Remove(folder, attempts: 5);
        Environment.Exit(0);
    }

    private static void End(int pid, int signal)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            if (OperatingSystem.IsWindows()) process.Kill(entireProcessTree: true);
            else Unix.Signal(pid, signal);
            if (!process.WaitForExit(TimeSpan.FromSeconds(10))) process.Kill();
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            // Gone already.
        }
    }

    private static void Remove(string folder, int attempts)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                Directory.Delete(folder, recursive: true);
                return;
            }
            catch (DirectoryNotFoundException)
            {
                return;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException && attempt < attempts)
            {
                // A last writer is still on its way out.
                using var pause = new ManualResetEventSlim();
                pause.Wait(TimeSpan.FromMilliseconds(200));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return;
            }
        }
    }
}
