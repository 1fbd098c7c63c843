using System.ComponentModel.DataAnnotations;

namespace Darkroom.Uploads;

/// <summary>Clearing up after uploads. Section <c>UploadSweep</c>.</summary>
public sealed class UploadSweeperOptions
{
    /// <summary>Time between looks. Default 15 s: an idempotency key of a dead process is free again in the lease plus this.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan Every { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Abandoned uploads taken over at one look. Default 20: a dead process leaves at most as many as it received at once.</summary>
    [Range(1, 1000)]
    public int Batch { get; set; } = 20;

    /// <summary>How long an answer is kept for repetitions under its idempotency key. Default 7 days; no client retries longer.</summary>
    [Range(typeof(TimeSpan), "1.00:00:00", "365.00:00:00")]
    public TimeSpan KeepAnswers { get; set; } = TimeSpan.FromDays(7);
}
