using Darkroom.Data;

namespace Darkroom.Images;

/// <summary>Executes an image plan with one decode and one encode.</summary>
public interface IImageCodec
{
    /// <summary>
    /// Waits for a codec slot, for which owners take turns, executes the plan, and appends the result to <paramref name="result"/>.
    /// </summary>
    /// <param name="owner">Whose turn it uses.</param>
    /// <param name="file">The file.</param>
    /// <param name="plan">What to do.</param>
    /// <param name="isSuspect">Whether it may have been what ended a process: it is then read nowhere but in a decoder.</param>
    /// <param name="result">What the result is appended to.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ImageFailedException">The file or the plan is at fault, or it could not be tried now.</exception>
    Task<CodecReport> RunAsync(
        OwnerId owner, ReadOnlyMemory<byte> file, ImagePlan plan, bool isSuspect, PooledBuffer result, CancellationToken cancellationToken);
}

/// <summary>What a codec did.</summary>
/// <param name="Source">The input: format, displayed size (after orientation), bytes.</param>
/// <param name="Output">The output.</param>
/// <param name="Frames">Frames or pages written.</param>
/// <param name="Encoding">How the output was produced.</param>
public sealed record CodecReport(ImageFacts Source, ImageFacts Output, int Frames, OutputEncoding Encoding);

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
