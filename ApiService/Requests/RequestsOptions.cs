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

    /// <summary>How long clients are asked to wait between two looks at a running request, seconds. Default 2.</summary>
    [Range(1, 3600)]
    public int PollSeconds { get; set; } = 2;

    /// <summary>
    /// How long an answer that needs only the database may take before it becomes a 503, seconds. Default 2: a client that waits
    /// longer learns nothing more.
    /// </summary>
    [Range(0.1, 60)]
    public double QueryTimeoutSeconds { get; set; } = 2;

    /// <summary>
    /// How long the object storage may take to begin an answer before it becomes a 503, seconds. Default 2: without it the storage
    /// client's own retries would hold the caller for a minute.
    /// </summary>
    [Range(0.1, 60)]
    public double StorageTimeoutSeconds { get; set; } = 2;

    /// <summary>
    /// How long a client that cancels or retries is kept waiting for the result, seconds. Default 20: proxies commonly give up after 30.
    /// After that it is answered 202, and the change goes on.
    /// </summary>
    [Range(0.1, 600)]
    public double ChangeAnswerSeconds { get; set; } = 20;

    /// <summary>
    /// Longest that a cancellation or a retry may take, seconds. Default 900: to cancel may be to wait for a load of millions of images, and
    /// to retry is to write as many rows as images failed. What takes longer is undone.
    /// </summary>
    [Range(1, 86_400)]
    public double ChangeSeconds { get; set; } = 900;

    public TimeSpan ChangeAnswer => TimeSpan.FromSeconds(ChangeAnswerSeconds);
    public TimeSpan Change => TimeSpan.FromSeconds(ChangeSeconds);
    public TimeSpan PollAfter => TimeSpan.FromSeconds(PollSeconds);
    public TimeSpan StorageTimeout => TimeSpan.FromSeconds(StorageTimeoutSeconds);
    public TimeSpan QueryTimeout => TimeSpan.FromSeconds(QueryTimeoutSeconds);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (DefaultPageSize > MaxPageSize)
            yield return new ValidationResult(
                $"Requests:DefaultPageSize ({DefaultPageSize}) must not exceed Requests:MaxPageSize ({MaxPageSize}).");
        if (ChangeAnswerSeconds > ChangeSeconds)
            yield return new ValidationResult(
                $"Requests:ChangeAnswerSeconds ({ChangeAnswerSeconds}) must not exceed Requests:ChangeSeconds ({ChangeSeconds}).");
    }
}
