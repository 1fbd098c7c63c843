using System.ComponentModel.DataAnnotations;

namespace Darkroom.Uploads;

/// <summary>Clearing up after uploads. Section <c>UploadSweep</c>.</summary>
public sealed class UploadSweeperOptions
{
    /// <summary>Time between looks, seconds. Default 15: an idempotency key of a dead process is free again in the lease plus this.</summary>
    [Range(0.1, 3600)]
    public double EverySeconds { get; set; } = 15;

    /// <summary>Abandoned uploads taken over at one look. Default 20: a dead process leaves at most as many as it received at once.</summary>
    [Range(1, 1000)]
    public int Batch { get; set; } = 20;

    /// <summary>How long an answer is kept for repetitions under its idempotency key, hours. Default 168 (a week); no client retries longer.</summary>
    [Range(24, 24 * 365)]
    public double KeepAnswersHours { get; set; } = 168;

    public TimeSpan Every => TimeSpan.FromSeconds(EverySeconds);
    public TimeSpan KeepAnswers => TimeSpan.FromHours(KeepAnswersHours);
}
