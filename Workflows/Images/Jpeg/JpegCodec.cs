using Darkroom.Images.Containers;

namespace Darkroom.Images.Jpeg;

/// <summary>
/// Executes plans that make a JPEG of a JPEG and change none of its pixels' places, which are most: by transcoding, in this process. Not
/// thread-safe.
/// </summary>
internal sealed class JpegCodec(ImageOptions options, TimeProvider time)
{
    private readonly JpegTranscoder _transcoder = new();

    /// <summary>Executes the plan, appending the result to <paramref name="result"/>, or returns null and leaves everything as it was.</summary>
    /// <exception cref="ImageFailedException">The plan is at fault, or the image took too long.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public CodecReport? TryRun(
        ReadOnlyMemory<byte> file, ImageHeader header, ImagePlan plan, PooledBuffer result, CancellationToken cancellationToken)
    {
        if (header.Format != ImageFormat.Jpeg)
            return null;
        var job = CodecJob.From(plan, header, options);
        if (!job.KeepsPixels || !TryTranscode(file, header, job, result, cancellationToken))
            return null;

        using var clean = new PooledBuffer(file.Length);
        ImageContainers.Rewrite(header.Format, file.Span, clean, orientation: 1, job.KeepsProfile);
        var isSmaller = result.Length < clean.Length;
        if (!isSmaller)
        {
            result.Clear();
            ImageContainers.Rewrite(header.Format, file.Span, result, header.Orientation, job.KeepsProfile);
        }

        var (width, height) = header.Displayed;
        return new CodecReport(
            new ImageFacts(header.Format, width, height, file.Length),
            new ImageFacts(header.Format, width, height, result.Length),
            Frames: 1,
            isSmaller ? OutputEncoding.Encoded : OutputEncoding.Rewritten);
    }

    private bool TryTranscode(
        ReadOnlyMemory<byte> file, ImageHeader header, CodecJob job, PooledBuffer result, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(options.CodecTime, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        var target = new JpegTarget(
            job.Quality, JpegOrientation.Of(header.Orientation), job.KeepsProfile ? header.Profile : null, options.Jpeg);
        try
        {
            return _transcoder.TryTranscode(file.Span, target, result, either.Token) is null;
        }
        catch (OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new ImageFailedException(options.TookTooLong());
        }
    }
}
