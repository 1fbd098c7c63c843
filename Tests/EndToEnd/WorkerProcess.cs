using System.Diagnostics;
using System.Globalization;
using System.Reflection;

namespace Darkroom.Tests.EndToEnd;

/// <summary>A worker in a process of its own, so that it can be killed as the operating system or an operator would.</summary>
internal sealed class WorkerProcess : IAsyncDisposable
{
    private static readonly string Path = typeof(WorkerProcess).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == "WorkerService").Value!;

    private readonly Process _process;

    private WorkerProcess(Process process) => _process = process;

    public int Id => _process.Id;

    /// <param name="settings">Configuration, as for a service: <c>Section:Name</c> to value.</param>
    public static WorkerProcess Start(IEnumerable<KeyValuePair<string, string>> settings)
    {
        var start = new ProcessStartInfo("dotnet", [Path])
        {
            WorkingDirectory = System.IO.Path.GetTempPath(),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in settings) start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        start.Environment["DOTNET_ENVIRONMENT"] = "Development";
        var process = Process.Start(start)!;
        // Nobody reads it unless a test fails in front of a person; unread pipes would stop the process.
        process.OutputDataReceived += (_, line) => Log(process, line.Data);
        process.ErrorDataReceived += (_, line) => Log(process, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new WorkerProcess(process);
    }

    /// <summary>SIGKILL: no clean-up, no hand-back.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM, as a deployment does it.</summary>
    public async Task<int> StopAsync(TimeSpan timeout)
    {
        using (var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)])) await kill.WaitForExitAsync();
        await _process.WaitForExitAsync().WaitAsync(timeout);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }

    private static void Log(Process process, string? line)
    {
        if (line is not null && Environment.GetEnvironmentVariable("DARKROOM_TEST_LOG") is { Length: > 0 } file)
            lock (typeof(WorkerProcess)) File.AppendAllText(file, $"[{process.Id}] {line}\n");
    }
}
