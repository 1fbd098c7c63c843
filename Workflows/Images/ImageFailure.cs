using Darkroom.Egress;

namespace Darkroom.Images;

/// <summary>Why an image could not be fetched or processed, in our own words.</summary>
/// <param name="Code">Stable and snake_case; see <see cref="ImageFailureCodes"/>.</param>
/// <param name="Message">One sentence for the person who sent the URL. Never text of a library or of the remote server.</param>
/// <param name="IsTransient">Whether trying again later can help.</param>
/// <param name="RetryAfter">The wait that the remote server asked for, capped by <see cref="EgressOptions.MaxRetryAfter"/>.</param>
public sealed record ImageFailure(string Code, string Message, bool IsTransient = false, TimeSpan? RetryAfter = null)
{
    /// <summary>False where we never came to try: then trying again later takes none of the image's attempts.</summary>
    public bool UsesAttempt { get; init; } = true;
}

/// <summary>Carries an <see cref="ImageFailure"/> to the place that turns it into an outcome.</summary>
public sealed class ImageFailedException(ImageFailure failure, Exception? inner = null) : Exception(failure.Message, inner)
{
    public ImageFailure Failure { get; } = failure;
}
