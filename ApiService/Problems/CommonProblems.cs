using Microsoft.AspNetCore.WebUtilities;

namespace Darkroom.Api.Problems;

/// <summary>Problems that any endpoint may return.</summary>
public static class CommonProblems
{
    /// <summary>Retry-After while a dependency is unavailable.</summary>
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(2);

    public static ApiProblem Invalid(string code, string detail) =>
        new(StatusCodes.Status400BadRequest, code, "The request is not valid.") { Detail = detail };

    public static ApiProblem Unprocessable(string code, string title, string detail) =>
        new(StatusCodes.Status422UnprocessableEntity, code, title) { Detail = detail };

    public static ApiProblem DatabaseUnavailable { get; } =
        new(StatusCodes.Status503ServiceUnavailable, "database_unavailable", "The database is currently unavailable.")
        {
            Detail = "Nothing was changed. Try again shortly.",
            RetryAfter = RetryDelay,
        };

    public static ApiProblem StorageUnavailable { get; } =
        new(StatusCodes.Status503ServiceUnavailable, "storage_unavailable", "The object storage is currently unavailable.")
        {
            Detail = "Nothing was changed. Try again shortly.",
            RetryAfter = RetryDelay,
        };

    public static ApiProblem TimedOut { get; } =
        new(StatusCodes.Status503ServiceUnavailable, "timed_out", "The request timed out.")
        {
            Detail = "A dependency of the service is slow or unavailable. Try again shortly.",
            RetryAfter = RetryDelay,
        };

    public static ApiProblem Internal { get; } =
        new(StatusCodes.Status500InternalServerError, "internal_error", "Something went wrong on our side.")
        {
            Detail = "Quote the traceId when you report this.",
        };

    /// <summary>For a status set by the framework: an unknown route, a wrong method, a malformed request.</summary>
    public static ApiProblem ForStatus(int status, string? detail = null) => status switch
    {
        StatusCodes.Status400BadRequest => new(status, "bad_request", "The request is not valid.") { Detail = detail },
        StatusCodes.Status401Unauthorized => new(status, "unauthorized", "A valid API key is required.")
        {
            Detail = detail ?? "Send it as: Authorization: Bearer <key>.",
        },
        StatusCodes.Status403Forbidden => new(status, "forbidden", "This API key is not allowed to do that.") { Detail = detail },
        StatusCodes.Status404NotFound => new(status, "not_found", "There is nothing at this address.") { Detail = detail },
        StatusCodes.Status405MethodNotAllowed => new(status, "method_not_allowed", "This method is not allowed here.")
        {
            Detail = detail ?? "The Allow header lists the allowed methods.",
        },
        StatusCodes.Status408RequestTimeout => new(status, "request_timeout", "The request arrived too slowly.") { Detail = detail },
        StatusCodes.Status413PayloadTooLarge => new(status, "payload_too_large", "The request is too large.") { Detail = detail },
        StatusCodes.Status415UnsupportedMediaType => new(status, "unsupported_media_type", "This content type is not supported here.") { Detail = detail },
        StatusCodes.Status429TooManyRequests => new(status, "too_many_requests", "Too many requests.") { Detail = detail },
        _ => new(status, $"http_{status}", ReasonPhrases.GetReasonPhrase(status)) { Detail = detail },
    };
}
