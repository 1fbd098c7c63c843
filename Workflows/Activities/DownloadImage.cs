using Darkroom.Engine;
using Darkroom.Engine.Bodies;
using Darkroom.Images;
using Darkroom.Telemetry;

namespace Darkroom.Activities;

/// <summary>Downloads the image from its URL, through the egress guard, and makes it the current image.</summary>
internal sealed class DownloadImage(ImageFetcher fetcher) : ImageActivity, IDescribedActivity
{
    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Darkroom.DownloadImage",
        Place = ActivityPlace.ImageBody,
        Category = "Images",
        DisplayName = "Download image",
        Description = "Downloads the image from the URL in the CSV. Only public addresses are allowed; size and time are limited.",
        // A second download would start over and silently discard the steps planned for the first.
        OncePerPath = true,
    };

    /// <summary>For activities that work on the image.</summary>
    internal static RequiredStep Required { get; } = new(Descriptor, "and has no image to work on then");

    public override async ValueTask<string> ExecuteAsync(ImageRun run, ActivityInputs inputs, CancellationToken cancellationToken)
    {
        using var span = DarkroomTracing.StartChild("download");
        if (SampleImages.Has(new Uri(run.Image.Url)))
        {
            run.Source = await SampleImages.OpenAsync(new Uri(run.Image.Url), cancellationToken);
            return Outcome.Done;
        }

        run.Source = await fetcher.FetchAsync(new Uri(run.Image.Url), run.Image.Owner, run.Image.Preemptions, cancellationToken);
        return Outcome.Done;
    }
}
