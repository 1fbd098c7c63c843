using Darkroom.Egress;

namespace Darkroom.Images;

/// <summary>Why an image could not be fetched or processed.</summary>
/// <param name="Code">Stable code in snake_case; see <see cref="ImageFailureCodes"/>.</param>
/// <param name="Message">One sentence for the person who sent the URL. Never contains text from a library or the remote server.</param>
/// <param name="IsTransient">Whether a later retry can succeed.</param>
/// <param name="RetryAfter">The delay that the remote server asked for, capped at <see cref="EgressOptions.MaxRetryAfter"/>.</param>
public sealed record ImageFailure(string Code, string Message, bool IsTransient = false, TimeSpan? RetryAfter = null)
{
    /// <summary>
    /// False if the fetch was never tried, or cancelled in favour of others; a retry then does not count against the image's attempts.
    /// </summary>
    public bool UsesAttempt { get; init; } = true;
}

/// <summary>Carries an <see cref="ImageFailure"/> to the code that records it as an outcome.</summary>
public sealed class ImageFailedException(ImageFailure failure, Exception? inner = null) : Exception(failure.Message, inner)
{
    public ImageFailure Failure { get; } = failure;
}

/// <summary>
/// The codes that appear in the <c>Errors</c> column and in the API, in addition to <see cref="EgressRefusalCodes"/>. Renaming one breaks
/// clients.
/// </summary>
public static class ImageFailureCodes
{
    // Connection
    public const string DnsFailed = "dns_failed";
    public const string ConnectFailed = "connect_failed";
    public const string TlsFailed = "tls_failed";
    public const string HostBusy = "host_busy";
    public const string Preempted = "preempted";
    public const string Timeout = "timeout";
    public const string TooSlow = "too_slow";
    public const string TooManyRedirects = "too_many_redirects";
    public const string BadRedirect = "bad_redirect";

    // Response
    public const string NotFound = "not_found";
    public const string BadResponse = "bad_response";
    public const string Incomplete = "incomplete";
    public const string EmptyBody = "empty_body";
    public const string ContentEncoding = "content_encoding";
    public const string TooLarge = "too_large";

    // Image
    public const string NotAnImage = "not_an_image";
    public const string UnsupportedFormat = "unsupported_format";
    public const string CorruptImage = "corrupt_image";
    public const string TooManyPixels = "too_many_pixels";
    public const string TooManyFrames = "too_many_frames";
    public const string TooComplex = "too_complex";
    public const string UnsupportedPlan = "unsupported_plan";

    // Decoder
    public const string DecoderCrashed = "decoder_crashed";
    public const string DecoderUnavailable = "decoder_unavailable";

    /// <summary>The codes that a decoder may give as its reason.</summary>
    internal static IReadOnlySet<string> OfDecoders { get; } = new HashSet<string>
    {
        NotAnImage, UnsupportedFormat, CorruptImage, TooManyPixels, TooManyFrames, TooComplex, UnsupportedPlan,
    };

    /// <summary>HTTP statuses without a code of their own: <c>http_403</c>, <c>http_429</c>, <c>http_503</c>.</summary>
    public static string Http(int status) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"http_{status}");
}
