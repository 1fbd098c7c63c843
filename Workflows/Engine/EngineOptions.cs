using System.ComponentModel.DataAnnotations;
using Darkroom.Data;

namespace Darkroom.Engine;

/// <summary>How a process runs workflow instances. Section <c>Engine</c>.</summary>
public sealed class EngineOptions
{
    /// <summary>The definition id of the workflow that a request runs if it selects none. Default <c>image-compression</c>.</summary>
    [Required]
    public string DefaultWorkflow { get; set; } = "image-compression";

    /// <summary>
    /// Activities in one workflow, including nested ones; default 1,000. Checking a workflow is quadratic in their number.
    /// </summary>
    [Range(1, 10_000)]
    public int MaxActivities { get; set; } = 1_000;

    /// <summary>
    /// Instances that one process runs concurrently. Default 4: they mostly wait for Postgres and S3, so it can exceed the number of cores, but
    /// more would only keep each other waiting. One owner can have three quarters of them, so that those of others need not wait.
    /// </summary>
    [Range(1, 256)]
    public int Concurrency { get; set; } = 4;

    /// <summary>
    /// Attempts at one activity before a transient failure faults the instance. Default 10, which spans about half an hour.
    /// </summary>
    [Range(1, 100)]
    public int ActivityAttempts { get; set; } = 10;

    /// <summary>
    /// Times that an instance may end its process, or fail in an unforeseen way, without completing a step in between, before it is
    /// faulted. Default 5: processes die for other reasons too, but not so often at the same step. Outages do not count.
    /// </summary>
    [Range(1, 100)]
    public int MaxAttempts { get; set; } = 5;

    /// <summary>Wait after the first failed attempt; doubled each time. Default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "00:01:00")]
    public TimeSpan FirstRetryDelay { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Longest wait between attempts. Default 5 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Time between polls for ready instances. Default 5 s. Notifications normally wake a worker sooner; polling covers lost ones.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.2", "00:05:00")]
    public TimeSpan Poll { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The wait after attempt number <paramref name="attempt"/>.</summary>
    /// <param name="jitter">0 to 1.</param>
    internal static TimeSpan NextDelay(int attempt, EngineOptions options, double jitter) =>
        Backoff.NextDelay(attempt, options.FirstRetryDelay, options.MaxRetryDelay, jitter);
}
