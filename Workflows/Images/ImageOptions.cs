using System.ComponentModel.DataAnnotations;
using Darkroom.Images.Jpeg;
using Microsoft.Extensions.Options;

namespace Darkroom.Images;

/// <summary>
/// Limits on processing an image. Section <c>Images</c>. They are checked against the file's header, before anything is decoded.
/// </summary>
public sealed class ImageOptions : IValidatableObject
{
    /// <summary>
    /// Images decoded and encoded concurrently; default 0, which means one per core, because each keeps about one core busy.
    /// </summary>
    [Range(0, 1_024)]
    public int CodecSlots { get; set; }

    /// <summary>
    /// Pixels (all frames) across all codec slots, in millions; default 100. At worst, a pixel in flight takes 3 to 10 bytes.
    /// </summary>
    [Range(1, 100_000)]
    public double MegapixelsInFlight { get; set; } = 100;

    /// <summary>Longest side, in pixels; default 16,384.</summary>
    [Range(1, 65_535)]
    public int MaxSide { get; set; } = 16_384;

    /// <summary>Width x height x frames, in millions; default 50.</summary>
    [Range(0.01, 10_000)]
    public double MaxMegapixels { get; set; } = 50;

    /// <summary>
    /// Width x height of a progressive JPEG, in millions; default 16. The decoder holds the coefficients of the whole image in memory,
    /// however small the file is.
    /// </summary>
    [Range(0.01, 10_000)]
    public double MaxInterlacedMegapixels { get; set; } = 16;

    /// <summary>Frames in an animation or pages in a TIFF; default 256.</summary>
    [Range(1, 100_000)]
    public int MaxFrames { get; set; } = 256;

    /// <summary>Scans of a progressive JPEG; default 100. Typical files have about ten; each takes a pass over all coefficients.</summary>
    [Range(1, 10_000)]
    public int MaxScans { get; set; } = 100;

    /// <summary>Largest colour profile that is kept in the output, in bytes; default 1 MB. Larger ones are dropped.</summary>
    [Range(0, 16_777_216)]
    public int MaxProfileBytes { get; set; } = 1_000_000;

    /// <summary>Time to decode and encode one image; default 60 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan CodecTime { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Effort of the AVIF encoder, 0 to 9; default 2: about seven times as fast as the library's default of 4, for 14 % more bytes.
    /// </summary>
    [Range(0, 9)]
    public int AvifEffort { get; set; } = 2;

    /// <summary>What decodes and encodes; default <see cref="ImageLibrary.Libvips"/>.</summary>
    [EnumDataType(typeof(ImageLibrary))]
    public ImageLibrary Codec { get; set; }

    /// <summary>How JPEG files are compressed without being decoded to pixels.</summary>
    [ValidateObjectMembers]
    public JpegOptions Jpeg { get; set; } = new();

    public long MaxPixels => (long)(MaxMegapixels * 1_000_000);
    public long MaxInterlacedPixels => (long)(MaxInterlacedMegapixels * 1_000_000);
    public long PixelsInFlight => (long)(MegapixelsInFlight * 1_000_000);
    public int EffectiveCodecSlots => CodecSlots > 0 ? CodecSlots : Environment.ProcessorCount;

    internal ImageFailure TookTooLong() =>
        new(ImageFailureCodes.TooComplex, $"The image took more than {CodecTime.TotalSeconds} seconds to process.");

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MegapixelsInFlight < MaxMegapixels)
            yield return new ValidationResult(
                $"Images:MegapixelsInFlight ({MegapixelsInFlight}) must be at least Images:MaxMegapixels ({MaxMegapixels}), " +
                "or the largest image could never be processed.");
    }
}

/// <summary>A library that decodes and encodes images.</summary>
public enum ImageLibrary
{
    /// <summary>libvips for all formats; JPEG files of which only the quality changes are transcoded by our own code.</summary>
    Libvips,

    /// <summary>
    /// ImageSharp for JPEG, GIF, still WebP and PNG, and libvips for what ImageSharp does not do: AVIF, TIFF, animated WebP, interlaced PNG,
    /// CMYK, and colour profiles outside JPEG. It reads some damaged files that libvips refuses.
    /// </summary>
    ImageSharp,
}
