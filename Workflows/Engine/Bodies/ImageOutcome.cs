using Darkroom.Images;

namespace Darkroom.Engine.Bodies;

/// <summary>How the body of a claimed image ended. Each kind persists one fact.</summary>
public abstract record ImageOutcome(ClaimedImage Image)
{
    /// <summary>The activities that it completed and the one where it stopped; null if no body ran, or if the process died.</summary>
    public ImageTrace? Trace { get; init; }

    /// <summary>What was downloaded; null if nothing was.</summary>
    public ImageSource? Source { get; init; }

    /// <summary>The result is stored, and so is the original if the workflow keeps it.</summary>
    public sealed record Succeeded(ClaimedImage Image, ImageObject? Original, ImageObject Output) : ImageOutcome(Image);

    /// <summary>It will not be tried again in this run.</summary>
    /// <param name="Image">The claimed image.</param>
    /// <param name="Code">A stable snake_case code.</param>
    /// <param name="Message">One sentence of our own, never an exception's text.</param>
    /// <param name="Journal">What its body did, as JSON, or null.</param>
    /// <param name="Original">The original, if it was stored before the failure.</param>
    public sealed record Failed(
        ClaimedImage Image, string Code, string Message, string? Journal = null, ImageObject? Original = null) : ImageOutcome(Image);

    /// <summary>Its body starts again later, here or elsewhere.</summary>
    /// <param name="Image">The claimed image.</param>
    /// <param name="Delay">How long, from the database's now(), before it can be claimed again.</param>
    public sealed record RetryAt(ClaimedImage Image, TimeSpan Delay) : ImageOutcome(Image)
    {
        /// <summary>False if the image was not at fault: our own store was unavailable, or its host too busy with other images.</summary>
        public bool UsesAttempt { get; init; } = true;

        /// <summary>True if its download was cancelled in favour of others.</summary>
        public bool WasPreempted { get; init; }

        /// <summary>Why this attempt failed: a code as in <see cref="Failed"/>, or null.</summary>
        public string? Code { get; init; }
    }
}

/// <summary>A stored image: what is recorded of an original or an output.</summary>
/// <param name="Key">Its key in the bucket.</param>
/// <param name="ContentType">Its media type.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Width">Pixels, or null if the file was not inspected.</param>
/// <param name="Height">Pixels, or null if the file was not inspected.</param>
/// <param name="Sha256">Digest of the stored bytes.</param>
public sealed record ImageObject(string Key, string ContentType, long Bytes, int? Width, int? Height, byte[] Sha256);

/// <summary>The path of one image through its body, for the counts per activity.</summary>
/// <param name="Passed">Node ids of the completed activities, in order; one that ran twice appears twice.</param>
/// <param name="Stopped">Node id of the activity that did not complete, or null.</param>
public sealed record ImageTrace(IReadOnlyList<string> Passed, string? Stopped);

/// <summary>The format and size of the downloaded file.</summary>
public sealed record ImageSource(ImageFormat Format, long Bytes);
