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

    /// <summary>Time between heartbeats. Default 10 s: a third of the lease, so that one that hangs can be repeated in time.</summary>
    [Range(typeof(TimeSpan), "00:00:00.2", "00:03:20")]
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Time between scans for claims of dead processes. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.2", "00:03:20")]
    public TimeSpan Scan { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Pause after a heartbeat that failed, before it is repeated.</summary>
    internal TimeSpan HeartbeatRetry => Heartbeat / 10;

    /// <summary>How long a heartbeat may take: so long that after one that hangs there is time for another before the lease ends.</summary>
    internal TimeSpan HeartbeatTimeout => TimeSpan.FromTicks(Math.Min((Heartbeat - HeartbeatRetry).Ticks, (Duration - (2 * Heartbeat)).Ticks / 2));

    /// <summary>
    /// The longest time between two heartbeats of one process that still shows that the database could be reached. An outage that fits into
    /// it leaves every process time to renew its lease: one heartbeat may have been due when it began, and one may hang when it ends.
    /// </summary>
    internal TimeSpan LongestGap => Duration - Heartbeat - HeartbeatTimeout - HeartbeatRetry;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Heartbeat > Duration / 3)
            yield return new ValidationResult(
                $"Lease:Heartbeat ({Heartbeat}) must be at most a third of Lease:Duration ({Duration}).");
    }
}
