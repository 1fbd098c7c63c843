using System.ComponentModel.DataAnnotations;

namespace Darkroom.Api.Requests.Uploads;

/// <summary>Section <c>Upload</c>: receiving CSVs. Section <c>Csv</c> limits the file's size.</summary>
internal sealed class UploadOptions : IValidatableObject
{
    public const string Section = "Upload";

    /// <summary>
    /// Concurrent uploads per process; further ones get a 429. Default 32: each buffers one part of the multipart upload, about 5 MiB, and
    /// validation can keep one core busy.
    /// </summary>
    [Range(1, 10_000)]
    public int MaxConcurrent { get; set; } = 32;

    /// <summary>
    /// Concurrent uploads of one owner per process; further ones get a 429. Default 8: a quarter of all, so that no owner keeps others out.
    /// </summary>
    [Range(1, 10_000)]
    public int MaxConcurrentPerOwner { get; set; } = 8;

    /// <summary>Longest duration of an upload, after which it is refused. Default 1 hour: the largest file over a link of 1.2 Mbit/s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan MaxDuration { get; set; } = TimeSpan.FromHours(1);

    /// <summary>
    /// Longest time that an upload counts as one of its owner's calls that are worked on at once (<c>RateLimit:ConcurrentPerOwner</c>) after it
    /// has begun. Default 1 s: a small file has been accepted by then, and a large one depends on its client's connection.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan Turn { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Largest form field other than the file, in bytes. Default 8 KiB: room for a URL of 2,048 characters, however it is escaped.
    /// </summary>
    [Range(256, 1024 * 1024)]
    public int MaxFieldBytes { get; set; } = 8 * 1024;

    /// <summary>
    /// Whether webhook URLs may use plain http. Default false, because the body contains the locations of the customer's images. In
    /// development, http is always allowed for receivers on the same machine (loopback).
    /// </summary>
    public bool AllowHttpWebhooks { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MaxConcurrentPerOwner > MaxConcurrent)
            yield return new ValidationResult(
                $"Upload:MaxConcurrentPerOwner ({MaxConcurrentPerOwner}) must not exceed Upload:MaxConcurrent ({MaxConcurrent}).");
    }
}
