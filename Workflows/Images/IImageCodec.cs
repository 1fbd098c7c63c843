namespace Darkroom.Images;

/// <summary>Runs a plan: one decode, one encode, streams in and out. The seam behind which another process can stand.</summary>
public interface IImageCodec
{
    /// <summary>
    /// Writes the result to <paramref name="destination"/>, which is written only once everything has succeeded. Waits for a
    /// codec slot first. A failure is an <see cref="ImageFailedException"/>.
    /// </summary>
    /// <remarks>A source from <see cref="PooledBuffer.OpenRead"/> is read in place; any other stream is copied first.</remarks>
    Task<CodecReport> RunAsync(Stream source, ImagePlan plan, Stream destination, CancellationToken cancellationToken);
}

/// <summary>What a codec did.</summary>
/// <param name="Source">What came in: format, size as displayed (orientation applied), bytes.</param>
/// <param name="Output">What went out.</param>
/// <param name="OutputSha256">Of the bytes written.</param>
/// <param name="Frames">Frames or pages written.</param>
/// <param name="Encoding">How the output came about.</param>
public sealed record CodecReport(ImageFacts Source, ImageFacts Output, byte[] OutputSha256, int Frames, OutputEncoding Encoding);

/// <summary>The facts of one image file that are recorded.</summary>
public sealed record ImageFacts(ImageFormat Format, int Width, int Height, long Bytes);

/// <summary>How an output came about.</summary>
public enum OutputEncoding
{
    /// <summary>Decoded and encoded anew.</summary>
    Encoded,

    /// <summary>Encoding made it larger: the original container was rewritten without its metadata, the pixels untouched.</summary>
    Rewritten,

    /// <summary>Encoding made it larger and its container cannot be rewritten; the encoded file stands.</summary>
    EncodedLarger,
}
