namespace Darkroom.AppHost.Hosting;

/// <summary>
/// Environment variables that a worker's native libraries read when they are loaded, before our code could set them.
/// The <c>MALLOC_</c> variables only affect glibc; elsewhere they are ignored.
/// </summary>
internal static class CodecEnvironment
{
    private const string Gigabyte = "1073741824";

    private static readonly (string Name, string Value)[] Settings =
    [
        // Reuse image buffers. By default glibc returns each one to the kernel, and the next one page-faults all over again.
        ("MALLOC_MMAP_THRESHOLD_", Gigabyte),
        ("MALLOC_TRIM_THRESHOLD_", Gigabyte),
        ("MALLOC_TOP_PAD_", "67108864"),
        // At most two arenas, not one per thread: libvips creates threads for every image.
        ("MALLOC_ARENA_MAX", "2"),
        // The codec sets both as well; set here, they apply from the moment libvips loads.
        ("VIPS_BLOCK_UNTRUSTED", "1"),
        ("VIPS_CONCURRENCY", "1"),
        // Above this size, images that must be fully decoded go to a temporary file instead of memory.
        ("VIPS_DISC_THRESHOLD", "64m"),
        // Any value silences warnings; hostile files cause thousands of them.
        ("VIPS_WARNING", "1"),
    ];

    public static IResourceBuilder<ProjectResource> WithCodecEnvironment(this IResourceBuilder<ProjectResource> worker)
    {
        foreach (var (name, value) in Settings)
            worker.WithEnvironment(name, value);
        return worker;
    }
}
