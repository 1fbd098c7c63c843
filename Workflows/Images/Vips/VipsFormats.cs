using NetVips;

namespace Darkroom.Images.Vips;

/// <summary>How each format is read and written with libvips.</summary>
internal static class VipsFormats
{
    /// <summary>Opens the image with the loader of this format only, without sniffing. Pixels are decoded lazily.</summary>
    public static Image Load(ImageFormat format, Source source, bool allFrames)
    {
        var frames = allFrames ? -1 : 1;
        const Enums.Access access = Enums.Access.Sequential;
        const Enums.FailOn failOn = Enums.FailOn.Error;
        return format switch
        {
            ImageFormat.Jpeg => Image.JpegloadSource(source, access: access, failOn: failOn),
            ImageFormat.Png => Image.PngloadSource(source, access: access, failOn: failOn),
            ImageFormat.Webp => Image.WebploadSource(source, n: frames, access: access, failOn: failOn),
            ImageFormat.Gif => Image.GifloadSource(source, n: frames, access: access, failOn: failOn),
            ImageFormat.Tiff => Image.TiffloadSource(source, n: frames, access: access, failOn: failOn),
            ImageFormat.Avif => Image.HeifloadSource(source, access: access, failOn: failOn),
            _ => throw new ArgumentOutOfRangeException(nameof(format), format, null),
        };
    }

    public static void Save(Image image, CodecJob job, Target target, bool bilevel, ImageOptions options)
    {
        var quality = job.Quality;
        var keep = image.Contains("icc-profile-data") ? Enums.ForeignKeep.Icc : Enums.ForeignKeep.None;
        switch (job.Format)
        {
            case ImageFormat.Jpeg:
                image.JpegsaveTarget(target, q: quality, optimizeCoding: true, keep: keep);
                break;
            case ImageFormat.Png when quality >= 100:
                image.PngsaveTarget(target, compression: 9, filter: Enums.ForeignPngFilter.All, keep: keep);
                break;
            case ImageFormat.Png:
                // Twice as fast as effort 7, the default of sharp, for 7 % more bytes.
                image.PngsaveTarget(target, compression: 6, palette: true, q: quality, effort: 5, keep: keep);
                break;
            case ImageFormat.Webp:
                image.WebpsaveTarget(target, q: quality, effort: 4, keep: keep);
                break;
            case ImageFormat.Gif:
                // For GIF, quality sets the number of colours, the dithering, and how much frames and palettes may differ and still be
                // merged.
                image.GifsaveTarget(
                    target,
                    effort: 4,
                    bitdepth: job.GifBits,
                    dither: quality / 100.0,
                    interframeMaxerror: (100 - quality) * 0.16,
                    interpaletteMaxerror: (100 - quality) * 0.1);
                break;
            case ImageFormat.Tiff when bilevel:
                image.TiffsaveTarget(target, compression: Enums.ForeignTiffCompression.Ccittfax4, bitdepth: 1, keep: keep);
                break;
            case ImageFormat.Tiff when image.HasAlpha():
                SaveLosslessTiff(image, target);
                break;
            case ImageFormat.Tiff:
                image.TiffsaveTarget(target, compression: Enums.ForeignTiffCompression.Jpeg, q: quality, keep: keep);
                break;
            case ImageFormat.Avif:
                image.HeifsaveTarget(target, q: quality, compression: Enums.ForeignHeifCompression.Av1, effort: options.AvifEffort, keep: keep);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(job), job.Format, null);
        }
    }

    public static void SaveLosslessTiff(Image image, Target target) => image.TiffsaveTarget(
        target,
        compression: Enums.ForeignTiffCompression.Deflate,
        predictor: Enums.ForeignTiffPredictor.Horizontal,
        keep: image.Contains("icc-profile-data") ? Enums.ForeignKeep.Icc : Enums.ForeignKeep.None);
}
