using System.ComponentModel.DataAnnotations;

namespace Darkroom.Uploads;

/// <summary>Cleaning up after uploads. Section <c>UploadSweep</c>.</summary>
public sealed class UploadSweeperOptions
{
    /// <summary>Time between scans. Default 15 s: a dead process's idempotency key is free again after the lease plus this time.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan Every { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Abandoned uploads taken over per scan. Default 20. A dead process leaves at most those it was receiving.</summary>
    [Range(1, 1000)]
    public int Batch { get; set; } = 20;

    /// <summary>How long a response is kept for repeats of its idempotency key. Default 7 days: no client retries for longer.</summary>
    [Range(typeof(TimeSpan), "1.00:00:00", "365.00:00:00")]
    public TimeSpan IdempotencyRetention { get; set; } = TimeSpan.FromDays(7);
}
