using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.EndToEnd;

/// <summary>A worker in a process of its own, so that it can be killed as the operating system or an operator would.</summary>
internal sealed class WorkerProcess : IAsyncDisposable
{
    private static readonly string Path = typeof(WorkerProcess).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == "WorkerService").Value!;

    private readonly Process _process;
    private readonly ChildWatchdog _watchdog;
    private readonly StringBuilder _output = new();

    private WorkerProcess(Process process)
    {
        _process = process;
        // Unread pipes would stop the process.
        process.OutputDataReceived += (_, line) => Log(line.Data);
        process.ErrorDataReceived += (_, line) => Log(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        // Not only at the end of the test: a test host that is killed must leave no worker behind.
        _watchdog = ChildWatchdog.Start(process.Id);
    }

    public int Id => _process.Id;

    public string Output
    {
        get
        {
            lock (_output) return _output.ToString();
        }
    }

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
        // It lives for seconds: counting what is hot costs more than it gives.
        start.Environment["DOTNET_TieredPGO"] = "0";
        return new WorkerProcess(new Process { StartInfo = start });
    }

    /// <summary>Waits until it has written this.</summary>
    public Task SaysAsync(string text) =>
        Eventually.GetAsync(
            () => Task.FromResult(Output), output => output.Contains(text, StringComparison.Ordinal), TimeSpan.FromSeconds(30), $"The worker says '{text}'");

    /// <summary>SIGKILL: no clean-up, no hand-back.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM, as a deployment does it.</summary>
    public async Task<int> StopAsync(TimeSpan timeout)
    {
        await SignalAsync("TERM");
        await _process.WaitForExitAsync().WaitAsync(timeout);
        return _process.ExitCode;
    }

    /// <summary>SIGSTOP: it stands still, like a virtual machine that is moved, and knows nothing of it.</summary>
    public Task PauseAsync() => SignalAsync("STOP");

    /// <summary>SIGCONT: it goes on where it stood.</summary>
    public Task ResumeAsync() => SignalAsync("CONT");

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _watchdog.Dispose();
        _process.Dispose();
    }

    // By the program and not the system call: the signals' numbers differ between systems.
    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        Assert.Equal(0, kill.ExitCode);
    }

    private void Log(string? line)
    {
        if (line is null) return;
        lock (_output) _output.AppendLine(line);
        if (Environment.GetEnvironmentVariable("DARKROOM_TEST_LOG") is { Length: > 0 } file)
            lock (typeof(WorkerProcess)) File.AppendAllText(file, $"[{_process.Id}] {line}\n");
    }
}
