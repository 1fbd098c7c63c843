using Darkroom.Engine;
using Darkroom.Engine.Bodies;
using Darkroom.Images;
using Darkroom.Storage;
using Darkroom.Telemetry;

namespace Darkroom.Activities;

/// <summary>Stores the downloaded file unchanged.</summary>
internal sealed class StoreOriginal(ObjectStore objects) : ImageActivity, IDescribedActivity
{
    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Darkroom.StoreOriginal",
        Place = ActivityPlace.ImageBody,
        Category = "Images",
        DisplayName = "Store original",
        Description = "Stores the downloaded file in S3, byte for byte.",
        After = DownloadImage.Required,
    };

    public override async ValueTask<string> ExecuteAsync(ImageRun run, ActivityInputs inputs, CancellationToken cancellationToken)
    {
        var (image, source) = (run.Image, run.DownloadedSource());
        var key = ObjectKeys.Original(image.RequestId, image.Run, image.Row, image.Position, source.Sha256, source.Format.Extension());
        using var span = DarkroomTracing.StartChild("store original");
        await objects.PutAsync(key, source.Memory, source.Format.ContentType(), cancellationToken, source.Sha256);
        run.Original = new ImageObject(key, source.Format.ContentType(), source.Length, null, null, source.Sha256);
        return Outcome.Done;
    }
}
