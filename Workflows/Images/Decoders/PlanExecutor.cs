using Darkroom.Images.Containers;
using Darkroom.Images.ImageSharp;
using Darkroom.Images.Vips;

namespace Darkroom.Images.Decoders;

/// <summary>
/// Executes plans in a decoder: checks the file, has the first library that can decode and encode it, and sees to it that nothing grows where
/// that can be avoided.
/// </summary>
/// <param name="options">The limits.</param>
/// <param name="codecs">The libraries, in order of preference. Where one breaks off, the next one's verdict stands.</param>
internal sealed class PlanExecutor(ImageOptions options, params IReadOnlyList<IPixelCodec> codecs)
{
    public static PlanExecutor Create(ImageOptions options, TimeProvider time) => options.Codec == ImageLibrary.ImageSharp
        ? new PlanExecutor(options, new ImageSharpCodec(options, time), new VipsCodec(options, time))
        : new PlanExecutor(options, new VipsCodec(options, time));

    /// <summary>Executes the plan with one decode and one encode.</summary>
    /// <exception cref="ImageFailedException">The file or the plan is at fault.</exception>
    public CodecReport Run(ReadOnlyMemory<byte> file, ImagePlan plan, PooledBuffer output)
    {
        var header = ImageContainers.Inspect(FormatSniffer.Recognise(file.Span), file.Span);
        if (header.CheckLimits(options) is { } failure)
            throw new ImageFailedException(failure);
        var job = CodecJob.From(plan, header, options);

        var rewritable = ImageContainers.CanRewrite(header.Format);
        using var stripped = new PooledBuffer(rewritable ? file.Length : 0);
        if (rewritable)
            ImageContainers.Rewrite(header.Format, file.Span, stripped, orientation: 1, job.DecodesWithProfile);
        var clean = rewritable ? stripped.Memory : file;

        // Our decoders would keep only one frame of an animated PNG, so unless the plan changes its pixels, only strip its metadata.
        var onlyRewrite = header.IsStillOfAnimation && job.KeepsPixels;
        var encoded = onlyRewrite
            ? new EncodedImage(header.Displayed, header.Displayed, header.Frames)
            : Encode(clean, header, job, output);

        var rewritten = rewritable && job.KeepsPixels && (onlyRewrite || output.Length >= clean.Length);
        if (rewritten)
        {
            output.Clear();
            ImageContainers.Rewrite(header.Format, file.Span, output, header.Orientation, job.KeepsProfile);
        }

        return new CodecReport(
            new ImageFacts(header.Format, encoded.Source.Width, encoded.Source.Height, file.Length),
            new ImageFacts(job.Format, encoded.Output.Width, encoded.Output.Height, output.Length),
            encoded.Frames,
            rewritten ? OutputEncoding.Rewritten : output.Length > file.Length ? OutputEncoding.EncodedLarger : OutputEncoding.Encoded);
    }

    private EncodedImage Encode(ReadOnlyMemory<byte> file, ImageHeader header, CodecJob job, PooledBuffer output)
    {
        for (var i = 0; i < codecs.Count - 1; i++)
        {
            if (!codecs[i].Supports(header, job))
                continue;
            try
            {
                return codecs[i].Encode(file, header, job, output);
            }
            catch (Exception e) when (e is not ImageFailedException)
            {
                output.Clear();
            }
        }

        return codecs[^1].Encode(file, header, job, output);
    }
}
