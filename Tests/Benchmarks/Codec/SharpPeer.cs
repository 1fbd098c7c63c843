using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Darkroom.Benchmarks.Codec;

/// <summary>sharp, with the script that measures it and the Node packages in the folder that DARKROOM_PEER names.</summary>
internal sealed class SharpPeer
{
    private readonly string _script;

    private SharpPeer(string script) => _script = script;

    /// <summary>Null if DARKROOM_PEER is not set.</summary>
    public static SharpPeer? TryCreate() =>
        Environment.GetEnvironmentVariable("DARKROOM_PEER") is { Length: > 0 } peer ? new SharpPeer(Path.Combine(peer, "jpeg", "sharpbench.js")) : null;

    /// <summary>CPU seconds in which one thread makes a JPEG of each file, after it has done so once before. The process inherits our <c>MALLOC_</c> settings.</summary>
    public double Measure(int quality, IEnumerable<string> files)
    {
        const string mode = "jpeg", threads = "1", passes = "1", noOutput = "-";
        var start = new ProcessStartInfo("node", [_script, mode, threads, passes, noOutput, quality.ToString(CultureInfo.InvariantCulture), .. files])
        {
            RedirectStandardOutput = true,
        };
        using var node = Process.Start(start)!;
        var output = node.StandardOutput.ReadToEnd();
        node.WaitForExit();
        return node.ExitCode == 0
            ? JsonDocument.Parse(output).RootElement.GetProperty("cpu").GetDouble()
            : throw new InvalidOperationException($"sharp's script ended with code {node.ExitCode}.");
    }
}
