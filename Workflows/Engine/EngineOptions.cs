using System.ComponentModel.DataAnnotations;
using Darkroom.Data;

namespace Darkroom.Engine;

/// <summary>How a process runs workflow instances. Section <c>Engine</c>.</summary>
public sealed class EngineOptions
{
    /// <summary>The definition id of the workflow that a request runs when it names none.</summary>
    [Required]
    public string DefaultWorkflow { get; set; } = "image-compression";

    /// <summary>Activities of one workflow, nested ones included; default 1,000. Nobody reads a larger one, and checking takes the square of it.</summary>
    [Range(1, 10_000)]
    public int MaxActivities { get; set; } = 1_000;

    /// <summary>Instances that one process runs at once. They mostly wait for Postgres and S3, so more than cores.</summary>
    [Range(1, 256)]
    public int Concurrency { get; set; } = 8;

    /// <summary>How often one activity is tried before its transient failure faults the instance. Ten attempts span about half an hour.</summary>
    [Range(1, 100)]
    public int ActivityAttempts { get; set; } = 10;

    /// <summary>Wait after the first failed attempt; doubled each time. Default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "00:01:00")]
    public TimeSpan FirstRetry { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Longest wait between attempts. Default 5 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan LongestRetry { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Time between looks for ready instances. Default 5 s. A notification wakes a worker sooner; this is what is left when one is lost.</summary>
    [Range(typeof(TimeSpan), "00:00:00.2", "00:05:00")]
    public TimeSpan Poll { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The wait after attempt number <paramref name="attempt"/>.</summary>
    /// <param name="jitter">0 to 1.</param>
    internal static TimeSpan NextDelay(int attempt, EngineOptions options, double jitter) =>
        Backoff.NextDelay(attempt, options.FirstRetry, options.LongestRetry, jitter);
}
