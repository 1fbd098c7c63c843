using System.Runtime.InteropServices;
using Darkroom.Images.Containers;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Formats.Gif;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;
using LibraryConfiguration = SixLabors.ImageSharp.Configuration;

namespace Darkroom.Images.ImageSharp;

/// <summary>ImageSharp 2.1, for the formats that it reads and writes well; see <see cref="ImageLibrary.ImageSharp"/>.</summary>
internal sealed class ImageSharpCodec(ImageOptions options, TimeProvider time) : IPixelCodec
{
    private const int BytesPerPixel = 4;

    /// <summary>Pixels that it keeps for the next image, in MB: those of 16 megapixels, which few photos exceed.</summary>
    private const int PoolMegabytes = 64;

    private readonly LibraryConfiguration _configuration = new(
        new JpegConfigurationModule(), new PngConfigurationModule(), new GifConfigurationModule(), new WebpConfigurationModule())
    {
        // Codec slots already run in parallel.
        MaxDegreeOfParallelism = 1,
        MemoryAllocator = MemoryAllocator.Create(new MemoryAllocatorOptions
        {
            // No single image within the limits needs more at once. What a file claims is checked before that.
            AllocationLimitMegabytes = Math.Max(1, (int)Math.Ceiling(options.MaxMegapixels * BytesPerPixel)),
            MaximumPoolSizeMegabytes = PoolMegabytes,
        }),
    };

    public bool Supports(ImageHeader header, CodecJob job) => CanRead(header) && CanWrite(header, job) && CanKeepColour(header, job);

    // Valid interlaced PNG files make it loop for ever, and it does not heed cancellation while it does.
    private static bool CanRead(ImageHeader header) => header switch
    {
        { Format: ImageFormat.Jpeg, Components: 1 or 3 } => true,
        { Format: ImageFormat.Png, Interlaced: false } => true,
        { Format: ImageFormat.Webp, Frames: 1 } => true,
        { Format: ImageFormat.Gif } => true,
        _ => false,
    };

    private static bool CanWrite(ImageHeader header, CodecJob job) => job.Format switch
    {
        ImageFormat.Jpeg or ImageFormat.Png or ImageFormat.Gif => true,
        ImageFormat.Webp => header.Frames == 1 || !job.AllFrames,
        _ => false,
    };

    // It writes profiles only into JPEG, and does not convert between them: that they fit the output must be certain.
    private static bool CanKeepColour(ImageHeader header, CodecJob job) =>
        !job.DecodesWithProfile
        || header is { Format: ImageFormat.Jpeg, Components: 3 } && job.Format == ImageFormat.Jpeg && IccProfile.Parse(header.Profile!) is { Channels: 3 };

    public EncodedImage Encode(ReadOnlyMemory<byte> file, ImageHeader header, CodecJob job, PooledBuffer output)
    {
        // It makes up what is missing.
        if (IsCutOff(file.Span, header.Format))
            throw new InvalidImageContentException("The file is cut off.");
        using var limit = new CancellationTokenSource(options.CodecTime, time);
        try
        {
            using var image = Decode(file, header, job, limit.Token);
            // Check the limits again with what the decoder found: a crafted file could make the two readings disagree.
            if ((header with { Width = image.Width, Height = image.Height, Frames = image.Frames.Count }).CheckLimits(options) is { } failure)
                throw new ImageFailedException(failure);

            Orient(image, header.Orientation);
            var displayed = (image.Width, image.Height);
            foreach (var resize in job.Resizes)
                Resize(image, resize);
            if (job.Format == ImageFormat.Jpeg && header.Format != ImageFormat.Jpeg)
                image.Mutate(change => change.BackgroundColor(Color.White));
            limit.Token.ThrowIfCancellationRequested();
            using var target = new MemoryStream();
            image.Save(target, ImageSharpFormats.Encoder(image, header, job));
            output.Append(target.GetBuffer().AsSpan(0, (int)target.Length));
            return new EncodedImage(displayed, (image.Width, image.Height), image.Frames.Count);
        }
        catch (OperationCanceledException e)
        {
            throw new ImageFailedException(options.TookTooLong(), e);
        }
    }

    private static bool IsCutOff(ReadOnlySpan<byte> file, ImageFormat format) => format switch
    {
        ImageFormat.Jpeg => !file.EndsWith((ReadOnlySpan<byte>)[0xFF, JpegMarker.Eoi]),
        ImageFormat.Gif => !file.EndsWith(";"u8),
        _ => false,
    };

    private Image Decode(ReadOnlyMemory<byte> file, ImageHeader header, CodecJob job, CancellationToken cancellationToken)
    {
        MemoryMarshal.TryGetArray(file, out var bytes);
        using var source = new MemoryStream(bytes.Array!, bytes.Offset, bytes.Count, writable: false);
        var decoder = ImageSharpFormats.Decoder(header.Format, job.AllFrames);
        return header.Format == ImageFormat.Jpeg
            ? decoder.Decode<Rgb24>(_configuration, source, cancellationToken)
            : decoder.Decode<Rgba32>(_configuration, source, cancellationToken);
    }

    private static void Orient(Image image, int orientation) => image.Mutate(change => _ = orientation switch
    {
        2 => change.Flip(FlipMode.Horizontal),
        3 => change.Rotate(RotateMode.Rotate180),
        4 => change.Flip(FlipMode.Vertical),
        5 => change.RotateFlip(RotateMode.Rotate90, FlipMode.Horizontal),
        6 => change.Rotate(RotateMode.Rotate90),
        7 => change.RotateFlip(RotateMode.Rotate270, FlipMode.Horizontal),
        8 => change.Rotate(RotateMode.Rotate270),
        _ => change,
    });

    private static void Resize(Image image, ImageStep.Resize step)
    {
        var size = ResizeMath.Plan(step, image.Width, image.Height);
        if (size.ScalesFrom(image.Width, image.Height))
            image.Mutate(change => change.Resize(size.ScaledWidth, size.ScaledHeight, KnownResamplers.Lanczos3));
        if ((size.Width, size.Height) != (image.Width, image.Height))
            image.Mutate(change => change.Crop(new Rectangle(
                (size.ScaledWidth - size.Width) / 2, (size.ScaledHeight - size.Height) / 2, size.Width, size.Height)));
    }
}
