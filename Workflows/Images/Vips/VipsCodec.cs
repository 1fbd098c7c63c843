using Darkroom.Images.Containers;
using NetVips;

namespace Darkroom.Images.Vips;

/// <summary>libvips, for all formats.</summary>
internal sealed class VipsCodec : IPixelCodec
{
    private const int MaxWebpSide = 16_383;

    private readonly ImageOptions _options;
    private readonly TimeProvider _time;

    public VipsCodec(ImageOptions options, TimeProvider time)
    {
        VipsRuntime.EnsureStarted();
        _options = options;
        _time = time;
    }

    public bool Supports(ImageHeader header, CodecJob job) => true;

    public EncodedImage Encode(ReadOnlyMemory<byte> file, ImageHeader header, CodecJob job, PooledBuffer output)
    {
        var encoded = Encode(file, header, job, output, lossless: false);
        if (header.Format == ImageFormat.Tiff && job.KeepsPixels && output.Length >= file.Length)
            TryLossless(file, header, job, output);
        return encoded;
    }

    private EncodedImage Encode(ReadOnlyMemory<byte> file, ImageHeader header, CodecJob job, PooledBuffer output, bool lossless)
    {
        using var limit = new CancellationTokenSource(_options.CodecTime, _time);
        try
        {
            using var source = VipsStreams.Read(file);
            using var pipeline = new VipsPipeline(VipsFormats.Load(header.Format, source, job.AllFrames));
            using var registration = limit.Token.UnsafeRegister(static pipeline => ((VipsPipeline)pipeline!).Kill(), pipeline);
            // Check the limits again with what the decoder found: a crafted file could make the two readings disagree.
            if ((header with { Width = pipeline.Width, Height = pipeline.FrameHeight, Frames = pipeline.Frames }).CheckLimits(_options) is { } failure)
                throw new ImageFailedException(failure);

            pipeline.Orient(header.Orientation);
            var displayed = (pipeline.Width, pipeline.FrameHeight);
            pipeline.NormaliseColour(_options.MaxProfileBytes);
            foreach (var resize in job.Resizes)
                pipeline.Resize(resize);
            if (job.Format == ImageFormat.Jpeg)
                pipeline.FlattenOnWhite();
            if (job.Format == ImageFormat.Gif)
                pipeline.ApplyProfile();
            ThrowIfUnwritable(job.Format, pipeline);
            using var target = VipsStreams.Write(output);
            if (lossless)
                VipsFormats.SaveLosslessTiff(pipeline.Image, target);
            else
                VipsFormats.Save(pipeline.Image, job, target, IsBilevel(header, job, pipeline), _options);
            return new EncodedImage(displayed, (pipeline.Width, pipeline.FrameHeight), pipeline.Frames);
        }
        catch (VipsException e) when (limit.IsCancellationRequested)
        {
            throw new ImageFailedException(_options.TookTooLong(), e);
        }
        catch (VipsException e)
        {
            // libvips takes its messages from a buffer shared by all images, so they are never shown.
            throw ImageContainers.Corrupt(e);
        }
    }

    /// <summary>For scans and drawings: lossless compression can be smaller where JPEG in TIFF is larger.</summary>
    private void TryLossless(ReadOnlyMemory<byte> file, ImageHeader header, CodecJob job, PooledBuffer output)
    {
        using var smaller = new PooledBuffer(file.Length);
        Encode(file, header, job, smaller, lossless: true);
        if (smaller.Length >= output.Length)
            return;
        output.Clear();
        output.Append(smaller.Span);
    }

    private static bool IsBilevel(ImageHeader header, CodecJob job, VipsPipeline pipeline) =>
        header is { Format: ImageFormat.Tiff, BitsPerSample: 1 } && job.Resizes.IsEmpty && pipeline.Image.Bands == 1;

    private static void ThrowIfUnwritable(ImageFormat format, VipsPipeline pipeline)
    {
        if (format == ImageFormat.Webp && Math.Max(pipeline.Width, pipeline.FrameHeight) > MaxWebpSide)
            throw new ImageFailedException(new(ImageFailureCodes.UnsupportedPlan, $"WebP does not support images with a side above {MaxWebpSide} pixels."));
    }
}
