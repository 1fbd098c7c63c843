using System.Text;

namespace Darkroom.AppHost.Local.Processes;

/// <summary>A program run to its end.</summary>
internal sealed record Command(int ExitCode, string Output)
{
    public static async Task<Command> RunAsync(LaunchRequest request, CancellationToken cancellation)
    {
        var output = new StringBuilder();
        using var child = await ChildProcess.StartAsync(request with { Output = Collect });
        try
        {
            var code = await child.Exited.WaitAsync(cancellation);
            lock (output) return new Command(code, output.ToString());
        }
        catch (OperationCanceledException)
        {
            child.Kill();
            throw;
        }

        void Collect(string line)
        {
            lock (output) output.AppendLine(line);
            request.Output(line);
        }
    }
}
