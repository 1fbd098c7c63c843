using Darkroom.Api.Problems;
using Darkroom.Csv;

namespace Darkroom.Api.Requests.Uploads;

/// <summary>The reasons for rejecting an upload.</summary>
internal static class UploadProblems
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(2);

    public static ApiProblem WrongType { get; } =
        new(StatusCodes.Status415UnsupportedMediaType, "unsupported_media_type", "This content type is not supported here.")
        {
            Detail = "Send the CSV as multipart/form-data in the part 'file', or as the body with Content-Type: text/csv.",
        };

    public static ApiProblem WrongFileType(string type) =>
        new(StatusCodes.Status415UnsupportedMediaType, "unsupported_file_type", "The file is not a CSV.")
        {
            Detail = $"The part 'file' has the content type {type}. Export the table as CSV (text/csv) and send that.",
        };

    public static ApiProblem Encoded { get; } =
        new(StatusCodes.Status415UnsupportedMediaType, "unsupported_content_encoding", "A compressed body is not supported.")
        {
            Detail = "Send the CSV itself, without Content-Encoding.",
        };

    public static ApiProblem WrongCharset(string charset) =>
        new(StatusCodes.Status415UnsupportedMediaType, "unsupported_charset", "This character set is not supported.")
        {
            Detail = $"The declared charset is {charset}. Send UTF-8, or UTF-16 with a byte order mark.",
        };

    public static ApiProblem TooLarge(long maxBytes) =>
        new(StatusCodes.Status413PayloadTooLarge, "file_too_large", "The file is too large.")
        {
            Detail = $"The maximum size is {maxBytes} bytes. Split the table into several files.",
            Extensions = new Dictionary<string, object?> { ["max_bytes"] = maxBytes },
        };

    public static ApiProblem TookTooLong(TimeSpan max) =>
        new(StatusCodes.Status408RequestTimeout, "upload_timeout", "The upload took too long.")
        {
            Detail = $"An upload may take {max}. Split the table into several files.",
        };

    public static ApiProblem NoFile { get; } =
        CommonProblems.Invalid("file_missing", "The form has no part 'file' with the CSV.");

    public static ApiProblem EmptyFile { get; } =
        CommonProblems.Invalid("empty_file", "The file is empty.");

    public static ApiProblem BrokenForm(string detail) =>
        CommonProblems.Invalid("malformed_form", detail);

    public static ApiProblem UnknownField(string name) =>
        CommonProblems.Invalid("unknown_field", $"The form has an unknown field '{Sanitize(name)}'. The known fields are file, webhook_url (or callback_url) and workflow.");

    public static ApiProblem RepeatedField(string name) =>
        CommonProblems.Invalid("repeated_field", $"'{name}' is given more than once.");

    public static ApiProblem BadIdempotencyKey { get; } =
        CommonProblems.Invalid("invalid_idempotency_key", "Idempotency-Key must be one value of 1 to 255 printable ASCII characters.");

    public static ApiProblem BadWebhookUrl(string detail) =>
        CommonProblems.Unprocessable("invalid_webhook_url", "The webhook_url cannot be used.", detail);

    public static ApiProblem UnknownWorkflow(string workflow) =>
        CommonProblems.Unprocessable("unknown_workflow", "There is no such workflow.", $"There is no published workflow with the id '{Sanitize(workflow)}'.");

    public static ApiProblem KeyInFlight { get; } =
        new(StatusCodes.Status409Conflict, "idempotency_key_in_flight", "An upload with this Idempotency-Key is still being received.")
        {
            Detail = "Retry when it has finished; you will get the same response.",
            RetryAfter = Soon,
        };

    public static ApiProblem KeyReused { get; } = CommonProblems.Unprocessable(
        "idempotency_key_reused",
        "The Idempotency-Key was used for another upload.",
        "The file, the webhook_url or the workflow differs from the upload accepted with this key. Use a new key for a new upload.");

    public static ApiProblem TooMany { get; } =
        new(StatusCodes.Status429TooManyRequests, "too_many_uploads", "Too many files are being uploaded at the moment.") { RetryAfter = Soon };

    public static ApiProblem Lost { get; } =
        new(StatusCodes.Status503ServiceUnavailable, "upload_lost", "The upload was interrupted by a problem on our side.")
        {
            Detail = "Nothing was accepted. Please retry.",
            RetryAfter = Soon,
        };

    public static ApiProblem Unknown(string self) =>
        new(StatusCodes.Status503ServiceUnavailable, "outcome_unknown", "The database connection was lost while the request was being accepted.")
        {
            Detail = $"Check {self} later to see whether it was accepted. With an Idempotency-Key it is safe to retry.",
            RetryAfter = TimeSpan.FromSeconds(5),
        };

    public static ApiProblem InvalidCsv(CsvValidationResult validation) =>
        CommonProblems.Unprocessable(
            "invalid_csv",
            "The CSV has errors; nothing was accepted.",
            validation.ReadToEnd
                ? $"Number of errors: {validation.ErrorCount}. Listed: {validation.Errors.Count}."
                : $"Number of errors before reading had to stop: {validation.ErrorCount}. Listed: {validation.Errors.Count}.") with
        {
            Extensions = new Dictionary<string, object?>
            {
                ["errors"] = validation.Errors.Select(CsvErrorView.From).ToArray(),
                ["total_errors"] = validation.ErrorCount,
            },
        };

    // Client input is echoed truncated and without control characters.
    private static string Sanitize(string text) =>
        string.Concat(text.Take(60).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c)) + (text.Length > 60 ? "..." : "");
}
