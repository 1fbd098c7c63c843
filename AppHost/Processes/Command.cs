using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Darkroom.AppHost.Processes;

/// <summary>A program that has run to completion.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Output">Standard output and error, interleaved line by line.</param>
internal sealed record Command(int ExitCode, string Output)
{
    /// <summary>Runs the program and waits for it to exit. Cancellation kills it and its child processes.</summary>
    /// <param name="file">A path, or the name of a program on the PATH.</param>
    /// <param name="arguments">Passed as is, without a shell.</param>
    /// <param name="folder">Its working directory.</param>
    /// <param name="user">On Unix, when running as root: the user to run the program as.</param>
    /// <param name="line">Called for each line of output, from any thread.</param>
    /// <exception cref="InvalidOperationException">The program could not be started.</exception>
    public static async Task<Command> RunAsync(
        string file, IEnumerable<string> arguments, string folder, UnixUser? user, Action<string> line, CancellationToken cancellationToken)
    {
        var output = new StringBuilder();
        var start = new ProcessStartInfo(file, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (user is not null && !OperatingSystem.IsWindows())
            start.UserName = user.Name;
        using var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, received) => Collect(received.Data);
        process.ErrorDataReceived += (_, received) => Collect(received.Data);
        try
        {
            process.Start();
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException($"{file} could not be started: {e.Message}", e);
        }

        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        lock (output)
            return new Command(process.ExitCode, output.ToString());

        void Collect(string? received)
        {
            if (received is null)
                return;
            lock (output)
                output.AppendLine(received);
            line(received);
        }
    }
}
