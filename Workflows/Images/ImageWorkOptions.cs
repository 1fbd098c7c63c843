using System.ComponentModel.DataAnnotations;
using Darkroom.Data;

namespace Darkroom.Images;

/// <summary>How much image work one worker process does at once. Section <c>ImageWork</c>.</summary>
public sealed class ImageWorkOptions
{
    /// <summary>
    /// Downloads at once, shared between owners. Default 20. They wait for networks, so many more than cores; each holds at most one file in
    /// memory. One owner alone gets three quarters, so that another never waits for its first.
    /// </summary>
    [Range(1, 1024)]
    public int Downloads { get; set; } = 20;

    /// <summary>
    /// Images in hand at once, from claim to stored result, shared like downloads. Default 32: more than downloads, so that decoding never
    /// waits for a network.
    /// </summary>
    [Range(1, 4096)]
    public int Concurrency { get; set; } = 32;

    /// <summary>Downloads at once in the slow lane, for those that had to give way too often. Default 2; they count separately.</summary>
    [Range(1, 64)]
    public int SlowDownloads { get; set; } = 2;

    /// <summary>How often one image's download may be cancelled in favour of others; then it moves to the slow lane. Default 3.</summary>
    [Range(0, 100)]
    public int MaxPreemptions { get; set; } = 3;

    /// <summary>Age at which a download may be cancelled in favour of others. Default 2 s: enough for connecting and a first impression.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan PreemptAfter { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Bytes per second at which a download is never cancelled in favour of others. Default 262,144: a product photo then takes a few seconds.
    /// </summary>
    [Range(1, 1_000_000_000)]
    public double PreemptBelow { get; set; } = 262_144;

    /// <summary>
    /// Attempts to start an image's body before the image fails, if what goes wrong is no outage. Default 5. Once the body runs, the
    /// workflow's own limit applies.
    /// </summary>
    [Range(1, 100)]
    public int MaxAttempts { get; set; } = 5;

    /// <summary>How long images in hand may still finish when the process is asked to stop; the rest is handed back. Default 8 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:25")]
    public TimeSpan Stop { get; set; } = TimeSpan.FromSeconds(8);

    /// <summary>Wait before an image is tried again after its first transient failure; doubled each time. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "00:10:00")]
    public TimeSpan FirstRetryDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest wait between two tries of an image. Default 5 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "1.00:00:00")]
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>The wait after try number <paramref name="attempt"/> failed.</summary>
    /// <param name="asked">What the source asked for, if it did; it is waited for at least.</param>
    /// <param name="jitter">0 to 1.</param>
    internal static TimeSpan NextDelay(int attempt, TimeSpan? asked, ImageWorkOptions options, double jitter)
    {
        var delay = Backoff.NextDelay(attempt, options.FirstRetryDelay, options.MaxRetryDelay, jitter);
        return asked > delay ? asked.Value : delay;
    }
}
