using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Darkroom.Images;

/// <summary>
/// The steps to apply to an image, in order. Activities append steps; the first
/// activity that needs the result runs the whole list with one decode and one encode.
/// </summary>
public sealed record ImagePlan(ImmutableArray<ImageStep> Steps)
{
    public static ImagePlan Empty { get; } = new([]);

    public ImagePlan Add(ImageStep step) => new(Steps.Add(step));
}

/// <summary>One step of an <see cref="ImagePlan"/>.</summary>
[JsonDerivedType(typeof(Compress), "compress")]
[JsonDerivedType(typeof(Resize), "resize")]
[JsonDerivedType(typeof(Convert), "convert")]
public abstract record ImageStep
{
    private ImageStep()
    {
    }

    /// <summary>Encode at this quality, 1 to 100; its effect depends on the format. The last one in a plan wins.</summary>
    public sealed record Compress(int Quality = 50) : ImageStep;

    /// <summary>Scale down, never up. At least one side is set; if only one is, the other keeps the aspect ratio.</summary>
    public sealed record Resize(ResizeMode Mode, int? Width, int? Height) : ImageStep;

    /// <summary>Change the format. The last one in a plan wins.</summary>
    public sealed record Convert(ImageFormat Format) : ImageStep;
}

/// <summary>How an image is fitted to the target box.</summary>
public enum ResizeMode
{
    /// <summary>As large as fits inside the box, keeping the aspect ratio; nothing is cropped.</summary>
    Fit,

    /// <summary>As small as covers the box, keeping the aspect ratio; the overflow is cropped equally on both sides.</summary>
    Fill,

    /// <summary>The centre of the image, not scaled.</summary>
    Crop,
}
