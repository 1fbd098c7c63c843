using NetVips;

namespace Darkroom.Images.Vips;

/// <summary>Initialises libvips, once per process, and restricts it to what we use before it reads any input.</summary>
internal static class VipsRuntime
{
    /// <summary>The only loaders we enable. Blocking only what libvips marks as untrusted would leave more enabled.</summary>
    private static readonly string[] Loaders = ["Jpeg", "Png", "Webp", "Nsgif", "Tiff", "Heif"];

    private static readonly Lazy<bool> Started = new(Start);

    /// <summary>Throws if the native library is missing.</summary>
    public static void EnsureStarted() => _ = Started.Value;

    /// <summary>
    /// Whether the libraries failed for lack of memory. They say so only in words, each in its own.
    /// </summary>
    public static bool IsOutOfMemory(Exception? e) =>
        e is VipsException { Message: var words }
        && ((string[])["memory", "alloc", "creating thread"]).Any(word => words.Contains(word, StringComparison.OrdinalIgnoreCase));

    private static bool Start()
    {
        if (!ModuleInitializer.VipsInitialized)
            throw new InvalidOperationException("libvips could not be loaded for this platform.", ModuleInitializer.Exception);
        SilenceNativeLog();
        NetVips.NetVips.BlockUntrusted = true;
        Operation.Block("VipsForeignLoad", true);
        foreach (var loader in Loaders)
            Operation.Block("VipsForeignLoad" + loader, false);
        // It runs shell commands, but libvips does not mark it as untrusted.
        Operation.Block("VipsSystem", true);
        // Our operations never repeat, so a cache would only keep customers' pixels in memory.
        Cache.Max = 0;
        Cache.MaxMem = 0;
        Cache.MaxFiles = 0;
        // Codec slots already run in parallel; threads within one image would only compete for the same cores.
        NetVips.NetVips.Concurrency = 1;
        return true;
    }

    /// <summary>A hostile file can make the libraries log without limit; anything that matters reaches us as an error.</summary>
    private static void SilenceNativeLog()
    {
        foreach (var domain in (string[])["VIPS", "GLib", "GLib-GObject"])
            Log.SetLogHandler(domain, Enums.LogLevelFlags.Warning | Enums.LogLevelFlags.Critical | Enums.LogLevelFlags.Message | Enums.LogLevelFlags.Info, Ignore);
    }

    private static void Ignore(string domain, Enums.LogLevelFlags level, string message)
    {
    }
}
