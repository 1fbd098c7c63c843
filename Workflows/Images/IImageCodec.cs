namespace Darkroom.Images;

/// <summary>
/// Executes an image plan with one decode and one encode. A separate interface so that the codec can also run in another process.
/// </summary>
public interface IImageCodec
{
    /// <summary>
    /// Executes the plan and writes the result to <paramref name="destination"/>, but only after everything has succeeded. Waits for a
    /// codec slot first. Failures are <see cref="ImageFailedException"/>s.
    /// </summary>
    /// <remarks>A source from <see cref="PooledBuffer.OpenRead"/> is read in place; any other stream is copied first.</remarks>
    Task<CodecReport> RunAsync(Stream source, ImagePlan plan, Stream destination, CancellationToken cancellationToken);
}

/// <summary>What a codec did.</summary>
/// <param name="Source">The input: format, displayed size (after orientation), bytes.</param>
/// <param name="Output">The output.</param>
/// <param name="OutputSha256">SHA-256 of the bytes written.</param>
/// <param name="Frames">Frames or pages written.</param>
/// <param name="Encoding">How the output was produced.</param>
public sealed record CodecReport(ImageFacts Source, ImageFacts Output, byte[] OutputSha256, int Frames, OutputEncoding Encoding);

/// <summary>The recorded properties of an image file.</summary>
public sealed record ImageFacts(ImageFormat Format, int Width, int Height, long Bytes);

/// <summary>How an output was produced.</summary>
public enum OutputEncoding
{
    /// <summary>Decoded and re-encoded.</summary>
    Encoded,

    /// <summary>
    /// Re-encoding made it larger, so the original container was rewritten without its metadata; the pixels are unchanged.
    /// </summary>
    Rewritten,

    /// <summary>Re-encoding made it larger, but the container cannot be rewritten, so the re-encoded file is used.</summary>
    EncodedLarger,
}
