using System.Globalization;
using System.Runtime.Versioning;

namespace Darkroom.Tests.Infrastructure;

/// <summary>How much resident memory another process took at most since a moment, from <c>/proc</c>.</summary>
[SupportedOSPlatform("linux")]
internal sealed class PeakMemory
{
    // Clears the peak, in the kernel's words.
    private const string Clear = "5";

    private readonly int _process;
    private readonly long _before;

    private PeakMemory(int process)
    {
        _process = process;
        File.WriteAllText($"/proc/{process}/clear_refs", Clear);
        _before = Read("VmRSS:");
    }

    /// <summary>Megabytes (2^20 bytes) that the peak since the start lies above what the process had then.</summary>
    public double GrowthMegabytes => (Read("VmHWM:") - _before) / 1_024.0;

    public static PeakMemory Start(int process) => new(process);

    /// <summary>In KiB.</summary>
    private long Read(string name)
    {
        var line = File.ReadLines($"/proc/{_process}/status").First(line => line.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
    }
}
