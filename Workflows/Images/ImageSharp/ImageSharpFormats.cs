using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Formats.Gif;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.Metadata;
using SixLabors.ImageSharp.Processing.Processors.Quantization;

namespace Darkroom.Images.ImageSharp;

/// <summary>How each format is read and written with ImageSharp: as close to what libvips does as it comes.</summary>
internal static class ImageSharpFormats
{
    // A palette has 256 colours from this quality on, and fewer in proportion below it.
    private const int QualityOfAllColours = 50;

    public static IImageDecoder Decoder(ImageFormat format, bool allFrames) => format switch
    {
        ImageFormat.Jpeg => new JpegDecoder(),
        ImageFormat.Png => new PngDecoder(),
        ImageFormat.Webp => new WebpDecoder(),
        ImageFormat.Gif => new GifDecoder { DecodingMode = allFrames ? FrameDecodingMode.All : FrameDecodingMode.First },
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, null),
    };

    public static IImageEncoder Encoder(Image image, ImageHeader header, CodecJob job)
    {
        switch (job.Format)
        {
            case ImageFormat.Jpeg:
                return new JpegEncoder { Quality = job.Quality, ColorType = JpegColour(image.Metadata, header, job.Quality) };
            case ImageFormat.Png when job.Quality >= 100:
                return new PngEncoder
                {
                    ColorType = PngColour(image.Metadata, header),
                    BitDepth = PngBitDepth.Bit8,
                    CompressionLevel = PngCompressionLevel.Level9,
                    FilterMethod = PngFilterMethod.Adaptive,
                    ChunkFilter = PngChunkFilter.ExcludeAll,
                };
            case ImageFormat.Png:
                return new PngEncoder
                {
                    ColorType = PngColorType.Palette,
                    BitDepth = PngBitDepth.Bit8,
                    CompressionLevel = PngCompressionLevel.Level6,
                    Quantizer = new WuQuantizer(new QuantizerOptions { MaxColors = Math.Clamp(256 * job.Quality / QualityOfAllColours, 2, 256) }),
                    ChunkFilter = PngChunkFilter.ExcludeAll,
                };
            case ImageFormat.Webp:
                return new WebpEncoder { FileFormat = WebpFileFormatType.Lossy, Quality = job.Quality, Method = WebpEncodingMethod.Level4 };
            case ImageFormat.Gif:
                ShowEachFrameAlone(image);
                return new GifEncoder
                {
                    Quantizer = new WuQuantizer(new QuantizerOptions { MaxColors = 1 << job.GifBits, DitherScale = job.Quality / 100f }),
                    ColorTableMode = GifColorTableMode.Local,
                };
            default:
                throw new ArgumentOutOfRangeException(nameof(job), job.Format, null);
        }
    }

    private static JpegColorType JpegColour(ImageMetadata source, ImageHeader header, int quality) =>
        IsGrey(source, header) ? JpegColorType.Luminance
        // Like libvips: at low qualities nobody sees the chroma that is lost.
        : quality < 90 ? JpegColorType.YCbCrRatio420
        : JpegColorType.YCbCrRatio444;

    private static PngColorType PngColour(ImageMetadata source, ImageHeader header) =>
        header.Format == ImageFormat.Jpeg ? IsGrey(source, header) ? PngColorType.Grayscale : PngColorType.Rgb
        : header.Format == ImageFormat.Png && source.GetPngMetadata() is { ColorType: PngColorType.Grayscale or PngColorType.Rgb, HasTransparency: false } png
            ? png.ColorType.Value
        : PngColorType.RgbWithAlpha;

    private static bool IsGrey(ImageMetadata source, ImageHeader header) =>
        header.Components == 1
        || header.Format == ImageFormat.Png && source.GetPngMetadata().ColorType is PngColorType.Grayscale or PngColorType.GrayscaleWithAlpha;

    /// <summary>Decoded frames are whole pictures. Where one is transparent, the one before must not show through.</summary>
    private static void ShowEachFrameAlone(Image image)
    {
        foreach (var frame in image.Frames)
            frame.Metadata.GetGifMetadata().DisposalMethod = GifDisposalMethod.RestoreToBackground;
    }
}
