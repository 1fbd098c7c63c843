using System.Diagnostics;

namespace Darkroom.AppHost.Local.Processes;

/// <summary>A running child: in a session of its own, ended with us whatever ends us.</summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process _process;

    private ChildProcess(Process process)
    {
        _process = process;
        Id = process.Id;
        Exited = WaitAsync();
    }

    public int Id { get; }

    /// <summary>Completes with the exit code.</summary>
    public Task<int> Exited { get; }

    public static Task<ChildProcess> StartAsync(LaunchRequest request) => SpawnThread.RunAsync(() => Start(request));

    /// <summary>Linux and Windows end our children by themselves.</summary>
    private static bool NeedsWarden => !OperatingSystem.IsWindows() && !OperatingSystem.IsLinux();

    private static ChildProcess Start(LaunchRequest request)
    {
        if (OperatingSystem.IsWindows()) WindowsJob.HoldThisProcess();
        var start = OperatingSystem.IsWindows()
            ? new ProcessStartInfo(request.File, request.Arguments)
            : new ProcessStartInfo(Launcher.DotnetHost, Launcher.Arguments(request));
        start.WorkingDirectory = request.WorkingDirectory;
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.UseShellExecute = false;
        // So that Ctrl+C reaches us alone, and a Ctrl+Break of ours reaches it alone.
        if (OperatingSystem.IsWindows()) start.CreateNewProcessGroup = true;
        if (request.Environment is { } environment)
        {
            start.Environment.Clear();
            foreach (var (name, value) in environment) start.Environment[name] = value;
        }

        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Forward(line.Data);
        process.ErrorDataReceived += (_, line) => Forward(line.Data);
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (NeedsWarden) Warden.Shared.Guard(process.Id, request.SignalOnParentDeath);
        return new ChildProcess(process);

        void Forward(string? line)
        {
            if (line is not null) request.Output(line);
        }
    }

    private async Task<int> WaitAsync()
    {
        await _process.WaitForExitAsync();
        if (NeedsWarden) Warden.Shared.Release(Id);
        return _process.ExitCode;
    }

    /// <summary>Asks it to stop, and ends it with all its children when it has not done so in time. False if it had to be ended.</summary>
    public async Task<bool> StopAsync(int signal, TimeSpan limit, TimeProvider time)
    {
        if (Exited.IsCompleted) return true;
        if (OperatingSystem.IsWindows()) WindowsJob.SendBreak(Id);
        else Unix.Signal(Id, signal);
        if (await EndsWithinAsync(limit, time)) return true;
        Kill();
        await Exited;
        return false;
    }

    public async Task<bool> EndsWithinAsync(TimeSpan limit, TimeProvider time)
    {
        try
        {
            await Exited.WaitAsync(limit, time);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    public void Kill()
    {
        try
        {
            // It leads its own session, hence its own group: what it started and did not move away goes with it.
            if (!OperatingSystem.IsWindows()) Unix.Signal(-Id, Signals.Kill);
            else _process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // Gone in the meantime.
        }
    }

    public void Dispose() => _process.Dispose();
}
