using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Darkroom.AppHost.Processes;

/// <summary>A program that was run to its end.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Output">Standard output and error, in the order of their lines.</param>
internal sealed record Command(int ExitCode, string Output)
{
    /// <summary>Runs the program, and ends it with all that it started if the token says so.</summary>
    /// <param name="file">A path, or a name on the PATH.</param>
    /// <param name="arguments">Passed as they are, without a shell.</param>
    /// <param name="folder">Its working directory.</param>
    /// <param name="user">On Unix, when we are root: the user it runs as.</param>
    /// <param name="line">Receives each line of output, from any thread.</param>
    /// <exception cref="InvalidOperationException">There is no such program.</exception>
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
        if (user is not null && !OperatingSystem.IsWindows()) start.UserName = user.Name;
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

        lock (output) return new Command(process.ExitCode, output.ToString());

        void Collect(string? received)
        {
            if (received is null) return;
            lock (output) output.AppendLine(received);
            line(received);
        }
    }
}
