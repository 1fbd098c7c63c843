using System.ComponentModel.DataAnnotations;

namespace Darkroom.Retention;

/// <summary>How long the history of finished runs is kept. Section <c>Retention</c>. Requests and their results are not history: they stay.</summary>
public sealed class RetentionOptions
{
    public const string Section = "Retention";

    /// <summary>
    /// How long after its end the journal of a run is kept: executions, counts, what the bodies of failed images did. Not
    /// set: for ever, because what is gone cannot be asked back.
    /// </summary>
    [Range(typeof(TimeSpan), "00:15:00", "36500.00:00:00")]
    public TimeSpan? JournalAge { get; set; }

    /// <summary>Time between looks for journals that are older. Default 1 h: retention is counted in days.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan Scan { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Journals removed between two looks at the list, one transaction each. Bounds what a first look at a long history reads.</summary>
    [Range(1, 10_000)]
    public int Batch { get; set; } = 100;
}
