using Darkroom.Api.Problems;
using Darkroom.Csv;

namespace Darkroom.Api.Requests.Uploads;

/// <summary>Why an upload is refused.</summary>
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
            Detail = $"The part 'file' says that it is {type}. Export the table as CSV (text/csv) and send that.",
        };

    public static ApiProblem Encoded { get; } =
        new(StatusCodes.Status415UnsupportedMediaType, "unsupported_content_encoding", "A compressed body is not supported.")
        {
            Detail = "Send the CSV itself, without Content-Encoding.",
        };

    public static ApiProblem WrongCharset(string charset) =>
        new(StatusCodes.Status415UnsupportedMediaType, "unsupported_charset", "This character set is not supported.")
        {
            Detail = $"The charset {charset} is declared. Send UTF-8, or UTF-16 with a byte order mark.",
        };

    public static ApiProblem TooLarge(long most) =>
        new(StatusCodes.Status413PayloadTooLarge, "file_too_large", "The file is too large.")
        {
            Detail = $"A file may have {most} bytes. Split the table and upload its parts.",
            Extensions = new Dictionary<string, object?> { ["max_bytes"] = most },
        };

    public static ApiProblem NoFile { get; } =
        CommonProblems.Invalid("file_missing", "The form has no part 'file' with the CSV.");

    public static ApiProblem EmptyFile { get; } =
        CommonProblems.Invalid("empty_file", "The file is empty.");

    public static ApiProblem BrokenForm(string detail) =>
        CommonProblems.Invalid("malformed_form", detail);

    public static ApiProblem UnknownField(string name) =>
        CommonProblems.Invalid("unknown_field", $"The form has a field '{Shown(name)}'. Known are file, webhook_url (or callback_url) and workflow.");

    public static ApiProblem RepeatedField(string name) =>
        CommonProblems.Invalid("repeated_field", $"'{name}' is given more than once.");

    public static ApiProblem BadIdempotencyKey { get; } =
        CommonProblems.Invalid("invalid_idempotency_key", "Idempotency-Key must be one value of 1 to 255 printable ASCII characters.");

    public static ApiProblem BadWebhookUrl(string detail) =>
        CommonProblems.Unprocessable("invalid_webhook_url", "The webhook_url cannot be used.", detail);

    public static ApiProblem UnknownWorkflow(string workflow) =>
        CommonProblems.Unprocessable("unknown_workflow", "There is no such workflow.", $"No workflow is published under the id '{Shown(workflow)}'.");

    public static ApiProblem KeyInFlight { get; } =
        new(StatusCodes.Status409Conflict, "idempotency_key_in_flight", "An upload with this Idempotency-Key is still being received.")
        {
            Detail = "Try again when it has ended: the answer will be the same.",
            RetryAfter = Soon,
        };

    public static ApiProblem KeyReused { get; } = CommonProblems.Unprocessable(
        "idempotency_key_reused",
        "The Idempotency-Key was used for another upload.",
        "The file, the webhook_url or the workflow differs from what was accepted under this key. Use a new key for a new upload.");

    public static ApiProblem TooMany { get; } =
        new(StatusCodes.Status429TooManyRequests, "too_many_uploads", "Too many files are being received at the moment.") { RetryAfter = Soon };

    public static ApiProblem Lost { get; } =
        new(StatusCodes.Status503ServiceUnavailable, "upload_lost", "The upload was interrupted on our side.")
        {
            Detail = "Nothing was accepted. Send it again.",
            RetryAfter = Soon,
        };

    public static ApiProblem Unknown(string self) =>
        new(StatusCodes.Status503ServiceUnavailable, "outcome_unknown", "The database went away while the request was being accepted.")
        {
            Detail = $"Whether it was accepted can be read at {self} when the database is back; with an Idempotency-Key it is safe to send it again.",
            RetryAfter = TimeSpan.FromSeconds(5),
        };

    public static ApiProblem InvalidCsv(CsvValidationResult validation) =>
        CommonProblems.Unprocessable(
            "invalid_csv",
            "The CSV has errors; nothing was accepted.",
            validation.ReadToEnd
                ? $"{validation.ErrorCount} found; the first {validation.Errors.Count} are listed."
                : $"{validation.ErrorCount} found before reading had to stop; the first {validation.Errors.Count} are listed.") with
        {
            Extensions = new Dictionary<string, object?>
            {
                ["errors"] = validation.Errors.Select(CsvErrorView.From).ToArray(),
                ["total_errors"] = validation.ErrorCount,
            },
        };

    // What clients send is shown back to them in part, and never with control characters.
    private static string Shown(string text) =>
        string.Concat(text.Take(60).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c)) + (text.Length > 60 ? "..." : "");
}
