using System.ComponentModel.DataAnnotations;

namespace Darkroom.Activities;

/// <summary>What one HTTP request of a workflow may cost. Section <c>HttpRequests</c>; where it may go is up to <c>Egress</c>.</summary>
public sealed class HttpRequestOptions
{
    /// <summary>Time for one request with its answer; default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Largest body that is sent, bytes; default 256 KiB.</summary>
    [Range(1_024, 16_777_216)]
    public int MaxRequestBytes { get; set; } = 256 * 1024;

    /// <summary>Bytes of an answer's body that are kept, default 32 KiB; the rest is not read. It becomes part of the workflow's state, which is written at every step.</summary>
    [Range(0, 1_048_576)]
    public int MaxContentBytes { get; set; } = 32 * 1024;
}
