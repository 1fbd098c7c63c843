using System.ComponentModel.DataAnnotations;

namespace Darkroom.Api.Requests;

/// <summary>Section <c>Requests</c>: how the API shows requests.</summary>
internal sealed class RequestsOptions : IValidatableObject
{
    public const string Section = "Requests";

    /// <summary>Items on a page of a list when the client names no limit. Default 100.</summary>
    [Range(1, 1000)]
    public int DefaultPageSize { get; set; } = 100;

    /// <summary>Most items on a page. Default 1000: about half a megabyte of JSON.</summary>
    [Range(1, 10000)]
    public int MaxPageSize { get; set; } = 1000;

    /// <summary>How long clients are asked to wait between two looks at a running request. Default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan PollAfter { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long an answer that needs only the database may take before it becomes a 503. Default 2 s: a client that waits
    /// longer learns nothing more.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan QueryTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long the object storage may take to begin an answer before it becomes a 503. Default 2 s: without it the storage
    /// client's own retries would hold the caller for a minute.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan StorageTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long a client that cancels or retries is kept waiting for the result. Default 20 s: proxies commonly give up after 30 s.
    /// After that it is answered 202, and the change goes on.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan ChangeAnswer { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// Longest that a cancellation or a retry may take. Default 15 min: to cancel may be to wait for a load of millions of images, and
    /// to retry is to write as many rows as images failed. What takes longer is undone.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan Change { get; set; } = TimeSpan.FromMinutes(15);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (DefaultPageSize > MaxPageSize)
            yield return new ValidationResult(
                $"Requests:DefaultPageSize ({DefaultPageSize}) must not exceed Requests:MaxPageSize ({MaxPageSize}).");
        if (ChangeAnswer > Change)
            yield return new ValidationResult(
                $"Requests:ChangeAnswer ({ChangeAnswer}) must not exceed Requests:Change ({Change}).");
    }
}
