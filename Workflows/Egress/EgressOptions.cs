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

    /// <summary>Longest wait for one of these connections, seconds; default 60. Afterwards the image is tried again later, its place in hand free for another.</summary>
    [Range(0.1, 3_600)]
    public double HostWaitSeconds { get; set; } = 60;

    /// <summary>Time to connect, TLS included, seconds; default 5.</summary>
    [Range(0.1, 600)]
    public double ConnectSeconds { get; set; } = 5;

    /// <summary>Time from sending a request to the end of its answer's headers, seconds; default 10.</summary>
    [Range(0.1, 600)]
    public double HeaderSeconds { get; set; } = 10;

    /// <summary>Time for one fetch with all its redirects, seconds; default 30. The waits for the host and for a download slot are not counted.</summary>
    [Range(0.1, 3_600)]
    public double TotalSeconds { get; set; } = 30;

    /// <summary>Slowest average rate of a body, bytes per second; default 1,000. Ends a trickle long before the total time does.</summary>
    [Range(0, 1_000_000_000)]
    public double MinBytesPerSecond { get; set; } = 1_000;

    /// <summary>Time before the rate is judged, seconds; default 5.</summary>
    [Range(0, 600)]
    public double MinRateAfterSeconds { get; set; } = 5;

    /// <summary>Longest Retry-After that is obeyed, seconds; default 300.</summary>
    [Range(0, 86_400)]
    public double MaxRetryAfterSeconds { get; set; } = 300;

    /// <summary>Head start of one address of a host over its next, milliseconds; default 250 (RFC 8305).</summary>
    [Range(10, 5_000)]
    public double NextAddressAfterMilliseconds { get; set; } = 250;

    /// <summary>How we introduce ourselves to the hosts we fetch from.</summary>
    [Required, RegularExpression(@"^[\x20-\x7E]+$")]
    public string UserAgent { get; set; } = "Darkroom/1.0 (bulk image processing)";

    public TimeSpan HostWait => TimeSpan.FromSeconds(HostWaitSeconds);
    public TimeSpan Connect => TimeSpan.FromSeconds(ConnectSeconds);
    public TimeSpan Headers => TimeSpan.FromSeconds(HeaderSeconds);
    public TimeSpan Total => TimeSpan.FromSeconds(TotalSeconds);
    public TimeSpan MinRateAfter => TimeSpan.FromSeconds(MinRateAfterSeconds);
    public TimeSpan MaxRetryAfter => TimeSpan.FromSeconds(MaxRetryAfterSeconds);
    public TimeSpan NextAddressAfter => TimeSpan.FromMilliseconds(NextAddressAfterMilliseconds);

    public bool IsAllowedPort(int port) => port is 80 or 443 || AdditionalPorts.Contains(port);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (AdditionalPorts.Any(port => port is < 1 or > 65_535))
            yield return new ValidationResult("Egress:AdditionalPorts must lie between 1 and 65535.");
        if (TotalSeconds < HeaderSeconds)
            yield return new ValidationResult($"Egress:TotalSeconds ({TotalSeconds}) must be at least Egress:HeaderSeconds ({HeaderSeconds}).");
        if (HeaderSeconds < ConnectSeconds)
            yield return new ValidationResult($"Egress:HeaderSeconds ({HeaderSeconds}) must be at least Egress:ConnectSeconds ({ConnectSeconds}).");
    }
}
