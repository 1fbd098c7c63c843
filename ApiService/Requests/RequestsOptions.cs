using System.ComponentModel.DataAnnotations;

namespace Darkroom.Api.Requests;

/// <summary>Section <c>Requests</c>: how the API serves requests.</summary>
internal sealed class RequestsOptions : IValidatableObject
{
    public const string Section = "Requests";

    /// <summary>Page size of a list if the client sets no limit. Default 100.</summary>
    [Range(1, 1000)]
    public int DefaultPageSize { get; set; } = 100;

    /// <summary>Largest page size a client may ask for. Default 1000, which is about half a megabyte of JSON.</summary>
    [Range(1, 10000)]
    public int MaxPageSize { get; set; } = 1000;

    /// <summary>How long clients are asked to wait between polls of a running request. Default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan PollAfter { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long a response that needs only the database may take before it becomes a 503. Default 2 s: waiting longer would not help the
    /// client.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan QueryTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long object storage may take to start responding before the call becomes a 503. Default 2 s: without this limit, the storage
    /// client's retries would keep the caller waiting for a minute.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan StorageTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long a cancel or retry call waits for the result. Default 20 s, because proxies commonly time out after 30 s. After that the
    /// response is 202 and the change continues in the background.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan ChangeResponse { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// Timeout of a cancellation or retry, after which it is rolled back. Default 15 min: a cancellation may have to wait until millions
    /// of images are loaded, and a retry writes one row per failed image.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan Change { get; set; } = TimeSpan.FromMinutes(15);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (DefaultPageSize > MaxPageSize)
            yield return new ValidationResult(
                $"Requests:DefaultPageSize ({DefaultPageSize}) must not exceed Requests:MaxPageSize ({MaxPageSize}).");
        if (ChangeResponse > Change)
            yield return new ValidationResult(
                $"Requests:ChangeResponse ({ChangeResponse}) must not exceed Requests:Change ({Change}).");
    }
}
