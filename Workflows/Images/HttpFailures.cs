using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;
using Darkroom.Egress;

namespace Darkroom.Images;

/// <summary>Maps HTTP responses and errors to image failures. Pure: the time and the limits are arguments.</summary>
internal static class HttpFailures
{
    /// <summary>Null for a 200, whose body can be read.</summary>
    public static ImageFailure? FromStatus(HttpStatusCode status, RetryConditionHeaderValue? retryAfter, DateTimeOffset now, TimeSpan maxRetryAfter)
    {
        var number = (int)status;
        if (number == 200)
            return null;
        return number switch
        {
            204 or 205 => new(ImageFailureCodes.EmptyBody, "The server answered without a body."),
            404 or 410 => new(ImageFailureCodes.NotFound, $"The server has no such image (HTTP {number})."),
            408 or 425 or 429 or >= 500 and <= 599 => new(
                ImageFailureCodes.Http(number), $"The server answered HTTP {number}.", IsTransient: true, RetryDelay(retryAfter, now, maxRetryAfter)),
            _ => new(ImageFailureCodes.Http(number), $"The server answered HTTP {number}."),
        };
    }

    /// <summary>The delay that a server asked for, clamped between zero and the limit.</summary>
    public static TimeSpan? RetryDelay(RetryConditionHeaderValue? retryAfter, DateTimeOffset now, TimeSpan limit)
    {
        var asked = retryAfter?.Delta ?? retryAfter?.Date - now;
        if (asked is null)
            return null;
        return asked < TimeSpan.Zero ? TimeSpan.Zero : asked > limit ? limit : asked;
    }

    public static ImageFailure FromException(HttpRequestException exception)
    {
        if (EgressRefusedException.Find(exception) is { } refusal)
            return new(refusal.Code, refusal.Message);
        return exception.HttpRequestError switch
        {
            HttpRequestError.NameResolutionError =>
                new(ImageFailureCodes.DnsFailed, "The host's name could not be resolved.", IsTransient: true),
            HttpRequestError.SecureConnectionError when exception.InnerException is AuthenticationException =>
                new(ImageFailureCodes.TlsFailed, "The secure connection failed: the host's certificate or protocol was not acceptable."),
            HttpRequestError.SecureConnectionError or HttpRequestError.ConnectionError =>
                new(ImageFailureCodes.ConnectFailed, "The connection to the host failed.", IsTransient: true),
            HttpRequestError.InvalidResponse =>
                new(ImageFailureCodes.BadResponse, "The server's response was not valid HTTP."),
            HttpRequestError.ConfigurationLimitExceeded =>
                new(ImageFailureCodes.BadResponse, "The headers of the server's response exceed the limit."),
            _ => new(ImageFailureCodes.Incomplete, "The connection broke before the whole response had arrived.", IsTransient: true),
        };
    }

    /// <summary>A failure while the body was being read.</summary>
    public static ImageFailure FromBody(Exception exception) =>
        exception is HttpIOException { HttpRequestError: HttpRequestError.InvalidResponse }
            ? new(ImageFailureCodes.BadResponse, "The server's response was not valid HTTP.")
            : new(ImageFailureCodes.Incomplete, "The connection broke before the whole image had arrived.", IsTransient: true);
}
