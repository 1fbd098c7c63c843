using System.ComponentModel.DataAnnotations;

namespace Darkroom.Api.Studio;

/// <summary>Section <c>Studio</c>: the workflow editor at <c>/studio</c>.</summary>
public sealed class StudioOptions : IValidatableObject
{
    public const string Section = "Studio";

    /// <summary>How long a sign-in lasts after its last use, hours. Default 8: a working day. An open list or a running instance counts as use.</summary>
    [Range(0.01, 24 * 30)]
    public double SessionHours { get; set; } = 8;

    /// <summary>How long a sign-in lasts however much it is used, hours. Default 168, a week: an open tab that asks by itself must not keep it alive for ever.</summary>
    [Range(0.01, 24 * 365)]
    public double LongestSessionHours { get; set; } = 168;

    /// <summary>Folder of the unpacked npm package <c>@elsa-workflows/elsa-studio-wasm</c>. Default: beside the service (published), else where npm puts it.</summary>
    public string? PackageFolder { get; set; }

    public TimeSpan Session => TimeSpan.FromHours(SessionHours);

    public TimeSpan LongestSession => TimeSpan.FromHours(LongestSessionHours);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (LongestSessionHours < SessionHours)
            yield return new ValidationResult("Studio:LongestSessionHours must not be less than Studio:SessionHours.", [nameof(LongestSessionHours)]);
    }
}
