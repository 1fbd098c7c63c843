using System.ComponentModel.DataAnnotations;

namespace Darkroom.Leases;

/// <summary>How long a process keeps its claims without a heartbeat. Section <c>Lease</c>.</summary>
public sealed class ProcessLeaseOptions : IValidatableObject
{
    /// <summary>
    /// Age of a heartbeat after which its process counts as dead. Default 30 s. Shorter means faster takeover; longer means fewer live
    /// processes mistaken for dead.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:02", "00:10:00")]
    public TimeSpan Duration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Time between heartbeats. Default 10 s: a third of the lease, so that two may be missed.</summary>
    [Range(typeof(TimeSpan), "00:00:00.2", "00:03:20")]
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Time between scans for claims of dead processes. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.2", "00:03:20")]
    public TimeSpan Scan { get; set; } = TimeSpan.FromSeconds(5);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Heartbeat > Duration / 2)
            yield return new ValidationResult(
                $"Lease:Heartbeat ({Heartbeat}) must be at most half of Lease:Duration ({Duration}).");
    }
}
