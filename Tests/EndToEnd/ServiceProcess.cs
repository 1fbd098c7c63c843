using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.EndToEnd;

/// <summary>A worker or an API in a separate process, so that it can be killed as the operating system or an operator would.</summary>
internal sealed class ServiceProcess : IAsyncDisposable
{
    private static readonly string Worker = PathOf("WorkerService");
    private static readonly string Api = PathOf("ApiService");

    private readonly Process _process;
    private readonly ChildWatchdog _watchdog;
    private readonly StringBuilder _output = new();

    private ServiceProcess(Process process)
    {
        _process = process;
        // A full, unread pipe would block the process.
        process.OutputDataReceived += (_, line) => Log(line.Data);
        process.ErrorDataReceived += (_, line) => Log(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        // Needed in addition to DisposeAsync: a test host that is killed must leave no worker behind.
        _watchdog = ChildWatchdog.Start(process.Id);
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    /// <summary>Starts a worker.</summary>
    /// <param name="settings">Settings by name, such as <c>Section:Name</c>.</param>
    public static ServiceProcess Start(IEnumerable<KeyValuePair<string, string>> settings) => Start([Worker], settings);

    /// <summary>Starts an API at this address.</summary>
    public static ServiceProcess StartApi(IEnumerable<KeyValuePair<string, string>> settings, string url) =>
        Start([Api, "--urls", url], settings);

    private static ServiceProcess Start(string[] arguments, IEnumerable<KeyValuePair<string, string>> settings)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = System.IO.Path.GetTempPath(),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in settings)
            start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        start.Environment["DOTNET_ENVIRONMENT"] = "Development";
        return new ServiceProcess(new Process { StartInfo = start });
    }

    /// <summary>Waits until the worker's output contains this text.</summary>
    public Task SaysAsync(string text) =>
        Eventually.GetAsync(
            () => Task.FromResult(Output), output => output.Contains(text, StringComparison.Ordinal), $"The worker says '{text}'");

    /// <summary>SIGKILL: no clean-up, no hand-back.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM, as a deployment sends it.</summary>
    public async Task<int> StopAsync()
    {
        await SignalAsync("TERM");
        await _process.WaitForExitAsync().WaitAsync(Eventually.Patience);
        return _process.ExitCode;
    }

    /// <summary>SIGSTOP: the process freezes without noticing, like a virtual machine during migration.</summary>
    public Task PauseAsync() => SignalAsync("STOP");

    /// <summary>SIGCONT: the process continues where it stopped.</summary>
    public Task ResumeAsync() => SignalAsync("CONT");

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            await KillAsync();
        _watchdog.Dispose();
        _process.Dispose();
    }

    // Uses the kill program rather than the system call, because signal numbers differ between operating systems.
    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        Assert.Equal(0, kill.ExitCode);
    }

    private static string PathOf(string project) => typeof(ServiceProcess).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == project).Value!;

    private void Log(string? line)
    {
        if (line is null)
            return;
        lock (_output)
            _output.AppendLine(line);
        if (Environment.GetEnvironmentVariable("DARKROOM_TEST_LOG") is { Length: > 0 } file)
            lock (typeof(ServiceProcess))
                File.AppendAllText(file, $"[{_process.Id}] {line}\n");
    }
}
