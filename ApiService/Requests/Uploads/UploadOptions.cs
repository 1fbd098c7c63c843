using System.ComponentModel.DataAnnotations;

namespace Darkroom.Api.Requests.Uploads;

/// <summary>Section <c>Upload</c>: receiving CSVs. How large a file may be is the section <c>Csv</c>'s.</summary>
internal sealed class UploadOptions
{
    public const string Section = "Upload";

    /// <summary>
    /// Files received at once by one process; more are answered 429. Default 32: each holds a part of the multipart upload in memory,
    /// about 5 MiB, and a core's worth of judging.
    /// </summary>
    [Range(1, 10_000)]
    public int MaxConcurrent { get; set; } = 32;

    /// <summary>Length of a form field other than the file, bytes. Default 8 KiB: a URL of 2,048 characters in any escaping.</summary>
    [Range(256, 1024 * 1024)]
    public int MaxFieldBytes { get; set; } = 8 * 1024;

    /// <summary>
    /// Whether webhooks may go to plain http addresses. Default: no, for the body names where the customer's images lie. Development
    /// needs it for receivers on the same machine and always allows loopback.
    /// </summary>
    public bool AllowHttpWebhooks { get; set; }
}
