using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Darkroom.AppHost.Processes;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.AppHost;

/// <summary>The AppHost as a user starts it: a separate process, here on free ports and with the test's data folder.</summary>
internal sealed class AppHostProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();

    private AppHostProcess(Process process, string data)
    {
        _process = process;
        Data = data;
        process.OutputDataReceived += (_, line) => Append(line.Data);
        process.ErrorDataReceived += (_, line) => Append(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string Data { get; }

    public int Id => _process.Id;

    public string RunFile => Path.Combine(Data, "run.json");

    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    public static AppHostProcess Start(string data, IReadOnlyDictionary<string, string>? environment = null, params string[] arguments)
    {
        var start = new ProcessStartInfo(
            DotnetHost.Path,
            [typeof(DotnetHost).Assembly.Location, "--data", data, "--Ports:Api=0", "--Ports:S3=0", "--Ports:Samples=0", "--Ports:Dashboard=0", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            // Not the repository: the host must not depend on its working directory.
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        return new AppHostProcess(new Process { StartInfo = start }, data);
    }

    /// <summary>Waits until everything is healthy, and returns the content of the run file.</summary>
    /// <param name="since">A stale run file, left by a killed host, to ignore.</param>
    public async Task<RunFile> HealthyAsync(RunFile? since = null)
    {
        var run = await Eventually.GetAsync(
            async () => _process.HasExited ? null : await ReadRunAsync(), read => _process.HasExited || (read is not null && read.Host != since?.Host),
            $"The host is healthy. {Output}");
        Assert.True(run is not null, $"The host exited before it was healthy:\n{Output}");
        return run;
    }

    /// <summary>Waits until the text appears on the console.</summary>
    public Task OutputContainsAsync(string text) =>
        Eventually.GetAsync(() => Task.FromResult(Output), output => output.Contains(text, StringComparison.Ordinal), $"The host prints '{text}'");

    private async Task<RunFile?> ReadRunAsync() =>
        File.Exists(RunFile) ? JsonSerializer.Deserialize<RunFile>(await File.ReadAllTextAsync(RunFile), JsonSerializerOptions.Web) : null;

    public async Task<int> ExitCodeAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Eventually.Patience);
        return _process.ExitCode;
    }

    public void Terminate() => Signal(Unix.Terminate);

    public void Kill() => Signal(Unix.Kill);

    private void Signal(int signal)
    {
        if (OperatingSystem.IsWindows())
            _process.Kill();
        else
            Unix.Signal(_process.Id, signal);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private void Append(string? line)
    {
        lock (_output)
            _output.AppendLine(line);
    }
}

/// <summary>The content of run.json.</summary>
internal sealed record RunFile(
    Uri Api, Uri Studio, Uri S3, Uri Samples, string? Key, Dictionary<string, string> ConnectionStrings, RunFileProcess[] Processes)
{
    public int Host => Processes.Single(process => process.Name == "apphost").Pid;

    public IEnumerable<int> Children => Processes.Where(process => process.Name != "apphost").Select(process => process.Pid);
}

internal sealed record RunFileProcess(string Name, int Pid);
