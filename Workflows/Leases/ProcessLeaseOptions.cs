using System.ComponentModel.DataAnnotations;

namespace Darkroom.Leases;

/// <summary>How long a silent process keeps what it has claimed. Section <c>Lease</c>.</summary>
public sealed class ProcessLeaseOptions : IValidatableObject
{
    /// <summary>Age of a heartbeat after which its process counts as dead; seconds. Shorter: faster take-over; longer: fewer false deaths.</summary>
    [Range(2, 600)]
    public double DurationSeconds { get; set; } = 30;

    /// <summary>Time between heartbeats, seconds. A third of the lease, so that two may fail.</summary>
    [Range(0.2, 200)]
    public double HeartbeatSeconds { get; set; } = 10;

    /// <summary>Time between looks for claims of dead processes, seconds.</summary>
    [Range(0.2, 200)]
    public double ScanSeconds { get; set; } = 5;

    public TimeSpan Duration => TimeSpan.FromSeconds(DurationSeconds);
    public TimeSpan Heartbeat => TimeSpan.FromSeconds(HeartbeatSeconds);
    public TimeSpan Scan => TimeSpan.FromSeconds(ScanSeconds);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (HeartbeatSeconds > DurationSeconds / 2)
            yield return new ValidationResult(
                $"Lease:HeartbeatSeconds ({HeartbeatSeconds}) must be at most half of Lease:DurationSeconds ({DurationSeconds}).");
    }
}
