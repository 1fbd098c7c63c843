using System.ComponentModel.DataAnnotations;

namespace Darkroom.Api.Studio;

/// <summary>Section <c>Studio</c>: the workflow editor at <c>/studio</c>.</summary>
public sealed class StudioOptions : IValidatableObject
{
    public const string Section = "Studio";

    /// <summary>
    /// How long a session lasts after its last use. Default 8 h: a working day. An open list or a running instance counts as use.
    /// </summary>
    [Range(typeof(TimeSpan), "00:01:00", "30.00:00:00")]
    public TimeSpan Session { get; set; } = TimeSpan.FromHours(8);

    /// <summary>How long a session lasts in total. Default 7 days: an open tab that polls must not keep it alive forever.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "365.00:00:00")]
    public TimeSpan MaxSession { get; set; } = TimeSpan.FromDays(7);

    /// <summary>
    /// Folder of the unpacked npm package <c>@elsa-workflows/elsa-studio-wasm</c>. Default: next to the published service, otherwise where
    /// npm installs it.
    /// </summary>
    public string? PackageFolder { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MaxSession < Session)
            yield return new ValidationResult("Studio:MaxSession must not be less than Studio:Session.", [nameof(MaxSession)]);
    }
}
