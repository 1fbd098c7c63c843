using Darkroom.Api.Problems;
using Darkroom.Requests;

namespace Darkroom.Api.Requests;

/// <summary>Problems of the request endpoints.</summary>
internal static class RequestProblems
{
    /// <summary>One answer for an id that is malformed, unknown, or another owner's: nobody learns which.</summary>
    public static ApiProblem NotFound { get; } =
        new(StatusCodes.Status404NotFound, "request_not_found", "There is no such request.");

    public static ApiProblem BadCursor { get; } =
        CommonProblems.Invalid("invalid_cursor", "The cursor is not one that this list gave. Start again without it.");

    public static ApiProblem BadLimit(int most) =>
        CommonProblems.Invalid("invalid_limit", $"limit must be a whole number from 1 to {most}.");

    public static ApiProblem BadState { get; } =
        CommonProblems.Invalid("invalid_state", "state must be one of pending, succeeded, failed, cancelled.");

    public static ApiProblem BadRange(long length) =>
        new(StatusCodes.Status416RangeNotSatisfiable, "range_not_satisfiable", "Nothing of the range lies within the file.")
        {
            Detail = $"The file has {length} bytes.",
        };

    public static ApiProblem AnotherFile { get; } =
        new(StatusCodes.Status412PreconditionFailed, "another_file", "The file is not the one that If-Match names.");

    public static ApiProblem CannotCancel { get; } =
        new(StatusCodes.Status409Conflict, "request_ended", "The run has already ended; it cannot be cancelled.");

    public static ApiProblem CannotRetry { get; } =
        new(StatusCodes.Status409Conflict, "not_retryable", "Only a request that completed with errors can be retried.");

    public static ApiProblem NoOutputYet(TimeSpan pollAfter) =>
        new(StatusCodes.Status409Conflict, "output_not_ready", "There is no output CSV yet.")
        {
            Detail = "The run has not ended. Watch the request's status, or give a webhook_url.",
            RetryAfter = pollAfter,
        };

    public static ApiProblem NoOutput(RequestStatus status) =>
        new(StatusCodes.Status409Conflict, "no_output", "There is no output CSV.")
        {
            Detail = $"The run ended as {status.ToText()} without one.",
        };
}
