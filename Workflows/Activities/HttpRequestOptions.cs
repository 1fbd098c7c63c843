using System.ComponentModel.DataAnnotations;

namespace Darkroom.Activities;

/// <summary>What one HTTP request of a workflow may cost. Section <c>HttpRequests</c>; <c>Egress</c> controls where it may go.</summary>
public sealed class HttpRequestOptions
{
    /// <summary>Time for one request including its response; default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Largest request body, in bytes; default 256 KiB.</summary>
    [Range(1_024, 16_777_216)]
    public int MaxRequestBytes { get; set; } = 256 * 1024;

    /// <summary>
    /// Bytes of a response body that are kept; default 32 KiB. The rest is not read, because the body becomes part of the workflow's
    /// state, which is written at every step.
    /// </summary>
    [Range(0, 1_048_576)]
    public int MaxContentBytes { get; set; } = 32 * 1024;
}
