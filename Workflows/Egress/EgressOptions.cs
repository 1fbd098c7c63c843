using System.ComponentModel.DataAnnotations;

namespace Darkroom.Egress;

/// <summary>Where outgoing requests may go, and what they may cost. Section <c>Egress</c>.</summary>
public sealed class EgressOptions : IValidatableObject
{
    /// <summary>
    /// Whether sources on this machine (127.0.0.0/8 and ::1) are allowed, on any port; default false. For development. Other private
    /// addresses stay forbidden.
    /// </summary>
    public bool AllowLoopback { get; set; }

    /// <summary>Allowed ports besides 80 and 443; default none.</summary>
    public int[] AdditionalPorts { get; set; } = [];

    /// <summary>Redirects that are followed, each checked like the original URL; default 5, 0 to 20.</summary>
    [Range(0, 20)]
    public int MaxRedirects { get; set; } = 5;

    /// <summary>Largest file that is fetched, in bytes; default 25 MB. A larger one is rejected, never truncated.</summary>
    [Range(1_024, 1_073_741_824)]
    public long MaxBytes { get; set; } = 25_000_000;

    /// <summary>Concurrent connections to one host, per process; default 4. Keeps one slow host from taking every download slot.</summary>
    [Range(1, 256)]
    public int ConnectionsPerHost { get; set; } = 4;

    /// <summary>
    /// Requests a second to one host, per process, evenly spaced; default 20. More would look like an attack to many servers, and a CSV must not
    /// be a means to attack one. Sources on this machine (<see cref="AllowLoopback"/>) are not limited.
    /// </summary>
    [Range(1, 100_000)]
    public int RequestsPerSecondPerHost { get; set; } = 20;

    /// <summary>
    /// Longest wait for a connection and for a request's turn; default 60 s. After that the image is retried later and frees its slot for
    /// another.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan HostWait { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Time to connect, including TLS; default 5 s. Four fifths of it are the most that the lookup of the name may take.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan Connect { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Time from sending a request to receiving all response headers; default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan Headers { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Time for one fetch including all redirects; default 30 s. Waiting for the host or a download slot does not count.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan Total { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Slowest average rate of a body, bytes per second; default 1,000. Ends a trickling download long before the total timeout would.
    /// </summary>
    [Range(0, 1_000_000_000)]
    public double MinBytesPerSecond { get; set; } = 1_000;

    /// <summary>Time before the rate is checked; default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan MinRateAfter { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest <c>Retry-After</c> that is honoured; default 5 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan MaxRetryAfter { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Delay before a host's next address is tried in parallel; default 250 ms (RFC 8305).</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "00:00:05")]
    public TimeSpan NextAddressAfter { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The <c>User-Agent</c> header that is sent to image hosts.</summary>
    [Required, RegularExpression(@"^[\x20-\x7E]+$")]
    public string UserAgent { get; set; } = "Darkroom/1.0 (bulk image processing)";

    public bool IsAllowedPort(int port) => port is 80 or 443 || AdditionalPorts.Contains(port);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (AdditionalPorts.Any(port => port is < 1 or > 65_535))
            yield return new ValidationResult("Egress:AdditionalPorts must be between 1 and 65535.");
        if (Total < Headers)
            yield return new ValidationResult($"Egress:Total ({Total}) must be at least Egress:Headers ({Headers}).");
        if (Headers < Connect)
            yield return new ValidationResult($"Egress:Headers ({Headers}) must be at least Egress:Connect ({Connect}).");
    }
}
