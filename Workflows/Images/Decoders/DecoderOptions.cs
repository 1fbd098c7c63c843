using System.ComponentModel.DataAnnotations;

namespace Darkroom.Images.Decoders;

/// <summary>
/// The child processes in which images are decoded and encoded, at most one per codec slot. Section <c>Decoders</c>.
/// </summary>
public sealed class DecoderOptions
{
    /// <summary>
    /// Memory that a decoder may allocate, in MB (2^20 bytes); default 2,048. It takes 200 by itself, and up to 1,500 for the largest images
    /// that the default limits admit. An image that needs more fails as <c>too_complex</c>.
    /// </summary>
    [Range(384, 65_536)]
    public int MemoryMegabytes { get; set; } = 2_048;

    /// <summary>
    /// Resident memory, in MB, above which a decoder is replaced after an image; default 512, so that one large image does not hold memory
    /// for ever.
    /// </summary>
    [Range(64, 65_536)]
    public int ResidentMegabytes { get; set; } = 512;

    /// <summary>
    /// Images after which a decoder is replaced; default 5,000. It bounds what a leak, or code smuggled in by an image, can gather; a new
    /// decoder costs about as much as ten images.
    /// </summary>
    [Range(1, 1_000_000)]
    public int Images { get; set; } = 5_000;

    /// <summary>CPU time after which a decoder is replaced; default 30 min. The kernel ends one that uses twice as much.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")]
    public TimeSpan CpuTime { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>Time for a decoder to start; default 30 s, of which it needs a tenth of a second on an idle machine.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan StartTime { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Time after <see cref="ImageOptions.CodecTime"/> at which a decoder that does not react is killed; default 5 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan Grace { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Largest result that is accepted from a decoder, in MB; default 256.</summary>
    [Range(1, 2_000)]
    public int MaxResultMegabytes { get; set; } = 256;

    public long MemoryBytes => MemoryMegabytes * 1_048_576L;
    public long ResidentBytes => ResidentMegabytes * 1_048_576L;
    public int MaxResultBytes => MaxResultMegabytes * 1_048_576;
}
