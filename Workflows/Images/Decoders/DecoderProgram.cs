using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Darkroom.Images.Decoders;

/// <summary>How a decoder is started.</summary>
/// <param name="File">The program.</param>
/// <param name="Arguments">Its arguments, up to and including the verb.</param>
public sealed record DecoderProgram(string File, IReadOnlyList<string> Arguments)
{
    /// <summary>The command that makes this program a decoder instead.</summary>
    public const string Verb = "decode";

    // Native libraries read these when they are loaded, before our code could set them. MALLOC_ variables affect only glibc.
    private static readonly (string Name, string Value)[] Settings =
    [
        // Reuse image buffers. By default glibc returns each one to the kernel, and the next one page-faults all over again.
        ("MALLOC_MMAP_THRESHOLD_", "1073741824"),
        ("MALLOC_TRIM_THRESHOLD_", "1073741824"),
        ("MALLOC_TOP_PAD_", "67108864"),
        // At most two arenas, not one per thread: libvips creates threads for every image.
        ("MALLOC_ARENA_MAX", "2"),
        // The codec sets both as well; set here, they apply from the moment libvips loads.
        ("VIPS_BLOCK_UNTRUSTED", "1"),
        ("VIPS_CONCURRENCY", "1"),
        // No temporary files, whatever the image's size: a decoder has nowhere to write them, and its memory is limited.
        ("VIPS_DISC_THRESHOLD", "1000g"),
        // Any value silences warnings; hostile files cause thousands of them.
        ("VIPS_WARNING", "1"),
        // One image at a time: a server's garbage collector would only cost memory.
        ("DOTNET_gcServer", "0"),
        ("DOTNET_gcConcurrent", "0"),
        // Otherwise the runtime opens a socket for debuggers.
        ("DOTNET_EnableDiagnostics", "0"),
    ];

    // What the loader and the runtime need to find themselves. Everything else, secrets above all, stays behind.
    private static readonly string[] Inherited = ["DOTNET_ROOT", "LD_LIBRARY_PATH", "SystemRoot", "TEMP"];

    /// <summary>This process' own program, with the verb.</summary>
    public static DecoderProgram Own()
    {
        var program = Environment.ProcessPath ?? throw new InvalidOperationException("The path of this program is unknown.");
        return Path.GetFileNameWithoutExtension(program).Equals("dotnet", StringComparison.OrdinalIgnoreCase)
            ? new DecoderProgram(program, ["exec", System.Reflection.Assembly.GetEntryAssembly()!.Location, Verb])
            : new DecoderProgram(program, [Verb]);
    }

    internal ProcessStartInfo StartInfo(DecoderLimits limits)
    {
        var start = new ProcessStartInfo(File, [.. Arguments, .. limits.ToArguments()])
        {
            // No folder of ours, which the child would keep in use.
            WorkingDirectory = Path.GetPathRoot(AppContext.BaseDirectory),
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = OperatingSystem.IsLinux(),
            CreateNoWindow = true,
        };
        var inherited = Inherited.Select(name => (Name: name, Value: Environment.GetEnvironmentVariable(name))).Where(variable => variable.Value is not null).ToList();
        start.Environment.Clear();
        foreach (var (name, value) in inherited.Concat(Settings.Select(setting => (setting.Name, Value: (string?)setting.Value))))
            start.Environment[name] = value;
        start.Environment["DOTNET_GCHeapHardLimit"] = (limits.MemoryBytes / 4).ToString("x", System.Globalization.CultureInfo.InvariantCulture);
        // The program looks for the runtime only in the default locations, and ours may be elsewhere.
        start.Environment.TryAdd("DOTNET_ROOT", Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..")));
        return start;
    }
}

/// <summary>The limits that a decoder sets for itself before it reads anything.</summary>
/// <param name="MemoryBytes">Memory that it may allocate.</param>
/// <param name="CpuSeconds">CPU time after which the kernel ends it.</param>
internal sealed record DecoderLimits(long MemoryBytes, long CpuSeconds)
{
    public string[] ToArguments() => [Text(MemoryBytes), Text(CpuSeconds)];

    public static DecoderLimits Parse(ReadOnlySpan<string> arguments) => new(Number(arguments[0]), Number(arguments[1]));

    private static string Text(long number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static long Number(string text) => long.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
