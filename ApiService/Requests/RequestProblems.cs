using System.ComponentModel;
using Darkroom.Api.Problems;
using Darkroom.Csv;
using Darkroom.Requests;

namespace Darkroom.Api.Requests;

/// <summary>Problems of the request endpoints.</summary>
internal static class RequestProblems
{
    /// <summary>Deliberately the same for a malformed id, an unknown one and another owner's.</summary>
    public static ApiProblem NotFound { get; } =
        new(StatusCodes.Status404NotFound, "request_not_found", "There is no such request.");

    public static ApiProblem BadCursor { get; } =
        CommonProblems.Invalid("invalid_cursor", "The cursor does not belong to this list. Start again without it.");

    public static ApiProblem BadLimit(int max) =>
        CommonProblems.Invalid("invalid_limit", $"limit must be a whole number from 1 to {max}.");

    public static ApiProblem BadState { get; } =
        CommonProblems.Invalid("invalid_state", "state must be one of pending, succeeded, failed, cancelled.");

    public static ApiProblem RangeNotSatisfiable(long length) =>
        new(StatusCodes.Status416RangeNotSatisfiable, "range_not_satisfiable", "The range lies outside the file.")
        {
            Detail = $"The file is {length} bytes long.",
        };

    public static ApiProblem PreconditionFailed { get; } =
        new(StatusCodes.Status412PreconditionFailed, "another_file", "The file does not match If-Match.");

    public static ApiProblem CannotCancel { get; } =
        new(StatusCodes.Status409Conflict, "request_ended", "The run has already ended and cannot be cancelled.");

    public static ApiProblem CannotRetry { get; } =
        new(StatusCodes.Status409Conflict, "not_retryable", "Only a request that completed with errors can be retried.");

    public static ApiProblem NoOutputYet(TimeSpan pollAfter) =>
        new(StatusCodes.Status409Conflict, "output_not_ready", "There is no output CSV yet.")
        {
            Detail = "The run has not finished. Poll the request's status, or upload with a webhook_url.",
            RetryAfter = pollAfter,
        };

    public static ApiProblem NoOutput(RequestStatus status) =>
        new(StatusCodes.Status409Conflict, "no_output", "There is no output CSV.")
        {
            Detail = $"The run ended as {status.ToText()} without one.",
        };
}

/// <summary>One error of a rejected CSV.</summary>
internal sealed record CsvErrorView(
    [property: Description("Line of the file, from 1, on which the row starts.")] long Line,
    [property: Description("Cell of the row, from 1; null if the error concerns the whole row.")] int? Column,
    [property: Description("Stable; the message may change.")] string Code,
    string? Value,
    string Message)
{
    public static CsvErrorView From(CsvError error) => new(error.Line, error.Column, error.Code, error.Value, error.Message);
}
