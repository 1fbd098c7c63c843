using System.ComponentModel.DataAnnotations;

namespace Darkroom.Retention;

/// <summary>How long the history of finished runs is kept. Section <c>Retention</c>. Requests and their results are not history: they stay.</summary>
public sealed class RetentionOptions
{
    public const string Section = "Retention";

    /// <summary>
    /// Days after its end for which the journal of a run is kept: executions, counts, what the bodies of failed images did. Not
    /// set: for ever, because what is gone cannot be asked back.
    /// </summary>
    [Range(0.01, 36_500)]
    public double? JournalDays { get; set; }

    /// <summary>Minutes between looks for journals that are older. An hour: retention is counted in days.</summary>
    [Range(0.01, 1440)]
    public double ScanMinutes { get; set; } = 60;

    /// <summary>Journals removed between two looks at the list, one transaction each. Bounds what a first look at a long history reads.</summary>
    [Range(1, 10_000)]
    public int Batch { get; set; } = 100;

    public TimeSpan? JournalAge => JournalDays is { } days ? TimeSpan.FromDays(days) : null;
    public TimeSpan Scan => TimeSpan.FromMinutes(ScanMinutes);
}
