using System.Collections.Immutable;
using Darkroom.Images.Containers;

namespace Darkroom.Images;

/// <summary>A plan applied to one file: everything the codec decides before it touches pixels.</summary>
internal sealed record CodecJob(
    ImageFormat Format, int Quality, ImmutableArray<ImageStep.Resize> Resizes, bool KeepsPixels, bool AllFrames, bool KeepsProfile, bool DecodesWithProfile)
{
    private const int DefaultQuality = 80;

    /// <summary>Bits per pixel of a GIF: 256 colours at quality 100, halved for each 25 below, so 64 at quality 50.</summary>
    public int GifBits => 4 + (Quality + 24) / 25;

    public static CodecJob From(ImagePlan plan, ImageHeader header, ImageOptions options)
    {
        var quality = plan.Steps.OfType<ImageStep.Compress>().LastOrDefault()?.Quality ?? DefaultQuality;
        var format = plan.Steps.OfType<ImageStep.Convert>().LastOrDefault()?.Format ?? header.Format;
        var resizes = plan.Steps.OfType<ImageStep.Resize>().ToImmutableArray();
        if (quality is < 1 or > 100)
            throw Unsupported("The quality must be between 1 and 100.");
        if (!Enum.IsDefined(format))
            throw Unsupported("The format to convert to is unknown.");
        if (resizes.Any(resize => resize is { Width: null, Height: null } or { Width: < 1 } or { Height: < 1 }))
            throw Unsupported("A size needs a width or a height of at least 1.");

        var profile = header.Profile is null ? null : IccProfile.Parse(header.Profile);
        var keepsProfile = profile is { IsSrgb: false } && header.Profile!.Length <= options.MaxProfileBytes;
        return new CodecJob(
            format,
            quality,
            resizes,
            KeepsPixels: format == header.Format && ChangesNothing(resizes, header),
            AllFrames: header.Frames > 1 && !header.IsStillOfAnimation && (format == header.Format || CanAnimate(header.Format) && CanAnimate(format)),
            KeepsProfile: keepsProfile,
            // A CMYK profile is needed to convert the pixels, but never reaches the output.
            DecodesWithProfile: keepsProfile || profile?.Channels == 4);
    }

    private static bool CanAnimate(ImageFormat format) => format is ImageFormat.Gif or ImageFormat.Webp;

    private static bool ChangesNothing(ImmutableArray<ImageStep.Resize> resizes, ImageHeader header)
    {
        var (width, height) = header.Displayed;
        return resizes.All(resize => ResizeMath.Plan(resize, width, height).IsNoOp(width, height));
    }

    private static ImageFailedException Unsupported(string message) => new(new(ImageFailureCodes.UnsupportedPlan, message));
}
