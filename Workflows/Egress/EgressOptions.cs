using System.ComponentModel.DataAnnotations;

namespace Darkroom.Egress;

/// <summary>Where outgoing requests may go, and what they may cost. Section <c>Egress</c>.</summary>
public sealed class EgressOptions : IValidatableObject
{
    /// <summary>Also reach sources on this machine (127.0.0.0/8 and ::1), on any port; default false. For development: no other private address is opened by it.</summary>
    public bool AllowLoopback { get; set; }

    /// <summary>Ports beside 80 and 443; default none.</summary>
    public int[] AdditionalPorts { get; set; } = [];

    /// <summary>Redirects that are followed, each checked like a first address; default 5, 0 to 20.</summary>
    [Range(0, 20)]
    public int MaxRedirects { get; set; } = 5;

    /// <summary>Largest file that is fetched, bytes; default 25 MB. A larger one is refused, never cut.</summary>
    [Range(1_024, 1_073_741_824)]
    public long MaxBytes { get; set; } = 25_000_000;

    /// <summary>Connections to one host at a time, per process; default 4. Keeps one slow host from taking every download slot.</summary>
    [Range(1, 256)]
    public int ConnectionsPerHost { get; set; } = 4;

    /// <summary>Longest wait for one of these connections; default 60 s. Afterwards the image is tried again later, its place in hand free for another.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan HostWait { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Time to connect, TLS included; default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan Connect { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Time from sending a request to the end of its answer's headers; default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan Headers { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Time for one fetch with all its redirects; default 30 s. The waits for the host and for a download slot are not counted.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan Total { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Slowest average rate of a body, bytes per second; default 1,000. Ends a trickle long before the total time does.</summary>
    [Range(0, 1_000_000_000)]
    public double MinBytesPerSecond { get; set; } = 1_000;

    /// <summary>Time before the rate is judged; default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan MinRateAfter { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest Retry-After that is obeyed; default 5 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan MaxRetryAfter { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Head start of one address of a host over its next; default 250 ms (RFC 8305).</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "00:00:05")]
    public TimeSpan NextAddressAfter { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How we introduce ourselves to the hosts we fetch from.</summary>
    [Required, RegularExpression(@"^[\x20-\x7E]+$")]
    public string UserAgent { get; set; } = "Darkroom/1.0 (bulk image processing)";

    public bool IsAllowedPort(int port) => port is 80 or 443 || AdditionalPorts.Contains(port);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (AdditionalPorts.Any(port => port is < 1 or > 65_535))
            yield return new ValidationResult("Egress:AdditionalPorts must lie between 1 and 65535.");
        if (Total < Headers)
            yield return new ValidationResult($"Egress:Total ({Total}) must be at least Egress:Headers ({Headers}).");
        if (Headers < Connect)
            yield return new ValidationResult($"Egress:Headers ({Headers}) must be at least Egress:Connect ({Connect}).");
    }
}
