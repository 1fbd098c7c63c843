using System.ComponentModel.DataAnnotations;

namespace Darkroom.Retention;

/// <summary>Deleting objects that nothing refers to. Section <c>ObjectSweep</c>.</summary>
public sealed class ObjectSweeperOptions
{
    /// <summary>
    /// Hours from the end of a run to the sweep of its objects. Default 24: whoever might still write under an old claim has ended long
    /// before, and an operator who looks into a failure still finds what was left.
    /// </summary>
    [Range(1, 24 * 365)]
    public double AfterHours { get; set; } = 24;

    /// <summary>Minutes between looks for requests that are due. Default 10: nobody waits for a sweep.</summary>
    [Range(0.1, 24 * 60)]
    public double EveryMinutes { get; set; } = 10;

    /// <summary>Requests swept at one look. Default 100.</summary>
    [Range(1, 10_000)]
    public int Batch { get; set; } = 100;

    public TimeSpan After => TimeSpan.FromHours(AfterHours);
    public TimeSpan Every => TimeSpan.FromMinutes(EveryMinutes);
}
