using Darkroom.Engine;
using Darkroom.Engine.Bodies;
using Darkroom.Images;

namespace Darkroom.Activities;

/// <summary>Adds a format conversion to the current image's plan.</summary>
internal sealed class ConvertImage : ImageActivity, IDescribedActivity
{
    private const string Format = nameof(Format);

    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Darkroom.ConvertImage",
        Place = ActivityPlace.ImageBody,
        Category = "Images",
        DisplayName = "Convert image",
        Description = "Changes the image's format. The last conversion before the image is stored wins.",
        Inputs =
        [
            InputDescriptor.Choice(Format, "webp", "The new format.",
                new InputOption("JPEG", "jpeg"), new InputOption("PNG", "png"), new InputOption("WebP", "webp"),
                new InputOption("AVIF", "avif"), new InputOption("GIF", "gif"), new InputOption("TIFF", "tiff")),
        ],
        After = DownloadImage.Required,
        TakesEffectIn = StoreImage.Descriptor,
    };

    public override ValueTask<string> ExecuteAsync(ImageRun run, ActivityInputs inputs, CancellationToken cancellationToken)
    {
        run.Plan = run.Plan.Add(new ImageStep.Convert(Enum.Parse<ImageFormat>(inputs.Get<string>(Format), ignoreCase: true)));
        return ValueTask.FromResult(Outcome.Done);
    }
}
