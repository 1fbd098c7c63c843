using System.ComponentModel.DataAnnotations;

namespace Darkroom.Retention;

/// <summary>Deletion of unreferenced objects. Section <c>ObjectSweep</c>.</summary>
public sealed class ObjectSweeperOptions
{
    /// <summary>
    /// Time from the end of a run to the sweep of its objects. Default 24 h: by then no worker can still be writing under an old claim, and
    /// until then an operator investigating a failure can find what was left.
    /// </summary>
    [Range(typeof(TimeSpan), "01:00:00", "365.00:00:00")]
    public TimeSpan After { get; set; } = TimeSpan.FromHours(24);

    /// <summary>Time between scans for requests that are due. Default 10 min: sweeping is not urgent.</summary>
    [Range(typeof(TimeSpan), "00:00:05", "1.00:00:00")]
    public TimeSpan Every { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Requests swept per scan. Default 100.</summary>
    [Range(1, 10_000)]
    public int Batch { get; set; } = 100;
}
