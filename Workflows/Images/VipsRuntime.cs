using NetVips;

namespace Darkroom.Images;

/// <summary>The one libvips of this process, closed down to what we use before the first byte reaches it.</summary>
internal static class VipsRuntime
{
    /// <summary>Nothing else is read. Blocking what libvips calls untrusted leaves more open than these.</summary>
    private static readonly string[] Loaders = ["Jpeg", "Png", "Webp", "Nsgif", "Tiff", "Heif"];

    private static readonly Lazy<bool> Started = new(Start);

    /// <summary>Throws if the native library is missing.</summary>
    public static void EnsureStarted() => _ = Started.Value;

    private static bool Start()
    {
        if (!ModuleInitializer.VipsInitialized)
            throw new InvalidOperationException("libvips could not be loaded for this platform.", ModuleInitializer.Exception);
        SilenceNativeLog();
        NetVips.NetVips.BlockUntrusted = true;
        Operation.Block("VipsForeignLoad", true);
        foreach (var loader in Loaders) Operation.Block("VipsForeignLoad" + loader, false);
        // It runs shell commands, and counts as trusted.
        Operation.Block("VipsSystem", true);
        // No two of our operations are the same: a cache would only keep other people's pixels.
        Cache.Max = 0;
        Cache.MaxMem = 0;
        Cache.MaxFiles = 0;
        // Slots run side by side already; threads within one image would only fight over the same cores.
        NetVips.NetVips.Concurrency = 1;
        return true;
    }

    /// <summary>A hostile file can make the libraries print as many lines as it likes; what matters reaches us as an error.</summary>
    private static void SilenceNativeLog()
    {
        foreach (var domain in (string[])["VIPS", "GLib", "GLib-GObject"])
            Log.SetLogHandler(domain, Enums.LogLevelFlags.Warning | Enums.LogLevelFlags.Critical | Enums.LogLevelFlags.Message | Enums.LogLevelFlags.Info, Ignore);
    }

    private static void Ignore(string domain, Enums.LogLevelFlags level, string message)
    {
    }
}
