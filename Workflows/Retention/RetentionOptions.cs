using System.ComponentModel.DataAnnotations;

namespace Darkroom.Retention;

/// <summary>
/// How long the history of finished runs is kept. Section <c>Retention</c>. Requests and their results are not part of it and are kept.
/// </summary>
public sealed class RetentionOptions
{
    public const string Section = "Retention";

    /// <summary>
    /// How long the journal of a run is kept after its end: executions, counts, and the steps that failed images ran. Not set by default,
    /// which keeps it forever, because a deleted journal cannot be restored.
    /// </summary>
    [Range(typeof(TimeSpan), "00:15:00", "36500.00:00:00")]
    public TimeSpan? JournalAge { get; set; }

    /// <summary>Time between scans for expired journals. Default 1 h: retention is counted in days.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan Scan { get; set; } = TimeSpan.FromHours(1);

    /// <summary>
    /// Journals removed per query, one transaction each. Default 100. Bounds what the first scan of a long history reads.
    /// </summary>
    [Range(1, 10_000)]
    public int Batch { get; set; } = 100;
}
