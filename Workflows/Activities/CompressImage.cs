using Darkroom.Engine;
using Darkroom.Engine.Bodies;
using Darkroom.Images;

namespace Darkroom.Activities;

/// <summary>Adds compression to the current image's plan. The codec runs once for all steps, when the result is needed.</summary>
internal sealed class CompressImage : ImageActivity, IDescribedActivity
{
    private const string Quality = nameof(Quality);

    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Darkroom.CompressImage",
        Place = ActivityPlace.ImageBody,
        Category = "Images",
        DisplayName = "Compress image",
        Description = "Compresses the image in its own format, honours its orientation, keeps transparency and drops metadata. A JPEG, PNG, WebP or GIF file "
            + "that would become larger only loses its metadata, unless other steps change its pixels.",
        Inputs = [InputDescriptor.Number(Quality, 50, 1, 100, "Encoder quality, 1 to 100. 50 gives small files with little visible loss.")],
        After = DownloadImage.Required,
        TakesEffectIn = StoreImage.Descriptor,
    };

    public override ValueTask<string> ExecuteAsync(ImageRun run, ActivityInputs inputs, CancellationToken cancellationToken)
    {
        run.Plan = run.Plan.Add(new ImageStep.Compress(inputs.Get<int>(Quality)));
        return ValueTask.FromResult(Outcome.Done);
    }
}
