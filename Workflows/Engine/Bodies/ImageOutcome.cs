using Darkroom.Images;

namespace Darkroom.Engine.Bodies;

/// <summary>How the body of a claimed image ended. Each kind persists one fact.</summary>
public abstract record ImageOutcome(ClaimedImage Image)
{
    /// <summary>Which activities of the body it passed and where it stopped; null where no body ran, or its process died.</summary>
    public ImageTrace? Trace { get; init; }

    /// <summary>What was downloaded, or null where it never came to that.</summary>
    public ImageSource? Source { get; init; }

    /// <summary>The result is stored, and the original where the workflow keeps it.</summary>
    public sealed record Succeeded(ClaimedImage Image, ImageObject? Original, ImageObject Output) : ImageOutcome(Image);

    /// <summary>It will not be tried again in this run.</summary>
    /// <param name="Image">The claimed image.</param>
    /// <param name="Code">Stable and snake_case.</param>
    /// <param name="Message">One sentence in our own words.</param>
    /// <param name="Journal">What its body did, JSON, or null.</param>
    /// <param name="Original">The original, where it was stored before the failure.</param>
    public sealed record Failed(
        ClaimedImage Image, string Code, string Message, string? Journal = null, ImageObject? Original = null) : ImageOutcome(Image);

    /// <summary>Its body starts again later, here or elsewhere.</summary>
    /// <param name="Image">The claimed image.</param>
    /// <param name="Delay">From the database's now on; not claimable earlier.</param>
    public sealed record RetryAt(ClaimedImage Image, TimeSpan Delay) : ImageOutcome(Image)
    {
        /// <summary>False where the image was not to blame: our own store was away, or its host too busy with others.</summary>
        public bool UsesAttempt { get; init; } = true;

        /// <summary>Why this attempt failed: a code as <see cref="Failed"/> has it, or null.</summary>
        public string? Code { get; init; }
    }
}

/// <summary>An image as it lies in S3: what is recorded of an original or an output.</summary>
/// <param name="Key">Its key in the bucket.</param>
/// <param name="ContentType">Its media type.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Width">Pixels, or null where nobody has looked inside.</param>
/// <param name="Height">Pixels, or null where nobody has looked inside.</param>
/// <param name="Sha256">Digest of the stored bytes.</param>
public sealed record ImageObject(string Key, string ContentType, long Bytes, int? Width, int? Height, byte[] Sha256);

/// <summary>The path of one image through its body, for the counts of its activities.</summary>
/// <param name="Passed">Node ids of the activities that completed, in order; one that ran twice is there twice.</param>
/// <param name="Stopped">Node id of the activity that did not complete, or null.</param>
public sealed record ImageTrace(IReadOnlyList<string> Passed, string? Stopped);

/// <summary>What an image was downloaded as.</summary>
public sealed record ImageSource(ImageFormat Format, long Bytes);
