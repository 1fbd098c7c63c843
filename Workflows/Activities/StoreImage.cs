using System.Security.Cryptography;
using Darkroom.Data;
using Darkroom.Engine;
using Darkroom.Engine.Bodies;
using Darkroom.Images;
using Darkroom.Queue;
using Darkroom.Storage;
using Darkroom.Telemetry;

namespace Darkroom.Activities;

/// <summary>Runs the current image's plan through the codec, with one decode and one encode, and stores the result.</summary>
internal sealed class StoreImage(ObjectStore objects, IImageCodec codec, DarkroomMetrics metrics, TimeProvider time)
    : ImageActivity, IDescribedActivity
{
    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Darkroom.StoreImage",
        Place = ActivityPlace.ImageBody,
        Category = "Images",
        DisplayName = "Store image",
        Description = "Stores the result in S3; its URL goes into the output CSV.",
        OncePerPath = true,
        After = DownloadImage.Required,
        WithoutIt = "so that no image could succeed",
    };

    public override async ValueTask<string> ExecuteAsync(ImageRun run, ActivityInputs inputs, CancellationToken cancellationToken)
    {
        var (image, source) = (run.Image, run.DownloadedSource());
        using var result = new PooledBuffer(source.Length);
        var report = await EncodeAsync(image, source, run.Plan, result, cancellationToken);
        var (output, sha256) = (report.Output, SHA256.HashData(result.Span));
        var key = ObjectKeys.Image(image.RequestId, image.Run, image.Row, image.Position, sha256, output.Format.Extension());
        using (DarkroomTracing.StartChild("store"))
            await objects.PutAsync(key, result.Memory, output.Format.ContentType(), cancellationToken, sha256);

        // The displayed size of the original is known only after decoding.
        run.Original = run.Original is null ? null : run.Original with { Width = report.Source.Width, Height = report.Source.Height };
        run.Output = new ImageObject(key, output.Format.ContentType(), output.Bytes, output.Width, output.Height, sha256);
        return Outcome.Done;
    }

    private async Task<CodecReport> EncodeAsync(
        ClaimedImage image, FetchedImage source, ImagePlan plan, PooledBuffer result, CancellationToken cancellationToken)
    {
        using var span = DarkroomTracing.StartChild("codec");
        var began = time.GetTimestamp();
        CodecReport? report = null;
        try
        {
            report = await codec.RunAsync(image.Owner, source.Memory, plan, image.IsSuspect, result, cancellationToken);
            return report;
        }
        finally
        {
            // An image that is handed back at a stop is neither.
            if (!cancellationToken.IsCancellationRequested)
                metrics.CodecFinished(time.GetElapsedTime(began), source.Format.Extension(), Result(report?.Encoding));
        }
    }

    private static string Result(OutputEncoding? encoding) => encoding switch
    {
        OutputEncoding.Encoded => "encoded",
        OutputEncoding.Rewritten => "rewritten",
        OutputEncoding.EncodedLarger => "encoded_larger",
        _ => "failed",
    };
}
