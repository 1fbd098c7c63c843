using Darkroom.Egress;

namespace Darkroom.Images;

/// <summary>
/// The codes that appear in the <c>Errors</c> column and in the API, beside <see cref="EgressRefusalCodes"/>. Renaming one breaks somebody's script.
/// </summary>
public static class ImageFailureCodes
{
    // The way there
    public const string DnsFailed = "dns_failed";
    public const string ConnectFailed = "connect_failed";
    public const string TlsFailed = "tls_failed";
    public const string HostBusy = "host_busy";
    public const string Timeout = "timeout";
    public const string TooSlow = "too_slow";
    public const string TooManyRedirects = "too_many_redirects";
    public const string BadRedirect = "bad_redirect";

    // The answer
    public const string NotFound = "not_found";
    public const string BadResponse = "bad_response";
    public const string Incomplete = "incomplete";
    public const string EmptyBody = "empty_body";
    public const string ContentEncoding = "content_encoding";
    public const string TooLarge = "too_large";

    // The image
    public const string NotAnImage = "not_an_image";
    public const string UnsupportedFormat = "unsupported_format";
    public const string CorruptImage = "corrupt_image";
    public const string TooManyPixels = "too_many_pixels";
    public const string TooManyFrames = "too_many_frames";
    public const string TooComplex = "too_complex";
    public const string UnsupportedPlan = "unsupported_plan";

    /// <summary>Every status that has no code of its own: <c>http_403</c>, <c>http_429</c>, <c>http_503</c>.</summary>
    public static string Http(int status) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"http_{status}");
}
