namespace Darkroom.AppHost.Hosting;

/// <summary>
/// What the native libraries of a worker read from their environment when they are loaded, before any code of ours could set it.
/// Elsewhere than under glibc the first four mean nothing and do no harm.
/// </summary>
internal static class CodecEnvironment
{
    private const string Gigabyte = "1073741824";

    private static readonly (string Name, string Value)[] Settings =
    [
        // Image buffers are kept for the next image. By default glibc returns each to the kernel, and the next is paid for page by page.
        ("MALLOC_MMAP_THRESHOLD_", Gigabyte),
        ("MALLOC_TRIM_THRESHOLD_", Gigabyte),
        ("MALLOC_TOP_PAD_", "67108864"),
        // Kept once or twice, not once a thread: libvips makes threads for every image.
        ("MALLOC_ARENA_MAX", "2"),
        // The codec sets both itself; here they hold from libvips' first line on.
        ("VIPS_BLOCK_UNTRUSTED", "1"),
        ("VIPS_CONCURRENCY", "1"),
        // Pixels of an image that must lie there whole go to a file above this size.
        ("VIPS_DISC_THRESHOLD", "64m"),
        // Set to anything, it silences warnings: hostile files cause them by the thousand.
        ("VIPS_WARNING", "1"),
    ];

    public static IResourceBuilder<ProjectResource> WithCodecEnvironment(this IResourceBuilder<ProjectResource> worker)
    {
        foreach (var (name, value) in Settings) worker.WithEnvironment(name, value);
        return worker;
    }
}
