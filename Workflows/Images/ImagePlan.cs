using System.Collections.Immutable;

namespace Darkroom.Images;

/// <summary>
/// What is to be done with an image, as a list of steps. Activities append; the first that needs bytes runs the whole list with
/// one decode and one encode.
/// </summary>
public sealed record ImagePlan(ImmutableArray<ImageStep> Steps)
{
    public static ImagePlan Empty { get; } = new([]);

    public ImagePlan Add(ImageStep step) => new(Steps.Add(step));
}

/// <summary>One step of an <see cref="ImagePlan"/>.</summary>
public abstract record ImageStep
{
    private ImageStep()
    {
    }

    /// <summary>Encode at this quality, 1 to 100, read by each format in its own way. The last one of a plan counts.</summary>
    public sealed record Compress(int Quality = 50) : ImageStep;

    /// <summary>Make it smaller, never larger. At least one side is given; with one, the other follows the proportions.</summary>
    public sealed record Resize(ResizeMode Mode, int? Width, int? Height) : ImageStep;

    /// <summary>Change the format. The last one of a plan counts.</summary>
    public sealed record Convert(ImageFormat Format) : ImageStep;
}

/// <summary>How an image meets the box it is resized to.</summary>
public enum ResizeMode
{
    /// <summary>As large as fits inside the box, proportions kept, nothing cut.</summary>
    Fit,

    /// <summary>As small as covers the box, proportions kept; what stands out is cut off on both sides.</summary>
    Fill,

    /// <summary>The middle of the image in its own scale.</summary>
    Crop,
}
