using Darkroom.Engine;
using Darkroom.Engine.Bodies;
using Darkroom.Images;

namespace Darkroom.Activities;

/// <summary>Adds a resize to the current image's plan.</summary>
internal sealed class ResizeImage : ImageActivity, IDescribedActivity
{
    private const string Mode = nameof(Mode);
    private const string Width = nameof(Width);
    private const string Height = nameof(Height);
    private const int MaxSide = 32_768;

    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Darkroom.ResizeImage",
        Place = ActivityPlace.ImageBody,
        Category = "Images",
        DisplayName = "Resize image",
        Description = "Makes the image smaller, never larger. If only one side is given, the other keeps the proportions.",
        Inputs =
        [
            InputDescriptor.Choice(Mode, "fit", "How the image is fitted to the size.",
                new InputOption("Fit inside, no cropping", "fit"), new InputOption("Fill, crop the overflow", "fill"), new InputOption("Crop the centre", "crop")),
            InputDescriptor.Number(Width, 0, 0, MaxSide, "Width in pixels; 0 if not given."),
            InputDescriptor.Number(Height, 0, 0, MaxSide, "Height in pixels; 0 if not given."),
        ],
        After = DownloadImage.Required,
        TakesEffectIn = StoreImage.Descriptor,
        Check = inputs => inputs.Is(Width, 0) && inputs.Is(Height, 0) ? "Width or Height must be given." : null,
    };

    public override ValueTask<string> ExecuteAsync(ImageRun run, ActivityInputs inputs, CancellationToken cancellationToken)
    {
        var (width, height) = (Side(inputs, Width), Side(inputs, Height));
        if (width is null && height is null)
            throw new ImageFailedException(new ImageFailure(ImageFailureCodes.UnsupportedPlan, "Resize image needs a width or a height."));
        run.Plan = run.Plan.Add(new ImageStep.Resize(Enum.Parse<ResizeMode>(inputs.Get<string>(Mode), ignoreCase: true), width, height));
        return ValueTask.FromResult(Outcome.Done);
    }

    private static int? Side(ActivityInputs inputs, string name) => inputs.Get<int>(name) is > 0 and var side ? side : null;
}
