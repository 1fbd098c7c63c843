using System.Diagnostics;
using Darkroom.Data;
using Darkroom.Engine.Bodies;
using Darkroom.Engine.Definitions;
using Darkroom.Images;
using Darkroom.Queue;
using Darkroom.Runs;
using Darkroom.Storage;
using Darkroom.Telemetry;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Worker.Images;

/// <summary>Runs the body for one claimed image and records an outcome, whatever happens.</summary>
internal sealed partial class ImageBodyRunner(
    FanOutBodies bodies,
    ImageClaimer claimer,
    ImageRecorder recorder,
    TimeProvider time,
    Random random,
    IOptions<ImageWorkOptions> options,
    IOptions<TracingOptions> tracing,
    ILogger<ImageBodyRunner> logger)
{
    private static readonly ImageFailure InternalError =
        new("internal_error", "The image could not be processed because of an internal error.");

    public async Task RunAsync(ClaimedImage image, CancellationToken cancellationToken)
    {
        using var scope = logger.BeginImage(image.RequestId, image.Id);
        try
        {
            var fanOut = await bodies.FindAsync(image.RequestId, image.Run, cancellationToken);
            if (fanOut is null)
            {
                await claimer.HandBackAsync([image], CancellationToken.None);
                return;
            }

            using var span = DarkroomTracing.StartImage(fanOut.TraceParent, image.RequestId, fanOut.Images, image.Id, tracing.Value);
            ImageOutcome outcome;
            using (var run = new ImageRun(image, time))
            {
                outcome = await RunBodyAsync(fanOut, run, cancellationToken) with
                {
                    Trace = run.Trace(),
                    Source = run.Source is { } source ? new ImageSource(source.Format, source.Length) : null,
                };
            }

            await recorder.EnqueueAsync(outcome, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await claimer.HandBackAsync([image], CancellationToken.None);
        }
        catch (WorkflowDefinitionException e)
        {
            // The body cannot start for any image of this run. Fail each of them, or the run would never end.
            LogNotRun(e, image.Id, image.RequestId);
            await recorder.EnqueueAsync(new ImageOutcome.Failed(image, "invalid_workflow", e.Message), cancellationToken);
        }
        catch (Exception e)
        {
            LogNotRun(e, image.Id, image.RequestId);
            await recorder.EnqueueAsync(NotRun(image, e), cancellationToken);
        }
    }

    private async Task<ImageOutcome> RunBodyAsync(FanOutBody fanOut, ImageRun run, CancellationToken cancellationToken)
    {
        var image = run.Image;
        try
        {
            await fanOut.Body.RunAsync(run, cancellationToken);
            if (run.Output is not null)
                return new ImageOutcome.Succeeded(image, run.Original, run.Output);
            return Failed(run, new ImageFailure("not_stored", "The workflow ended without storing a result for this image."));
        }
        catch (ImageFailedException e) when (e.Failure.IsTransient && (image.Attempts < fanOut.MaxAttempts || !e.Failure.UsesAttempt))
        {
            var delay = Delay(image, e.Failure.RetryAfter);
            LogRetrying(image.Id, image.RequestId, e.Failure.Code, image.Attempts, delay);
            Activity.Current.Fail(e.Failure.Code);
            return new ImageOutcome.RetryAt(image, delay)
            {
                UsesAttempt = e.Failure.UsesAttempt,
                WasPreempted = e.Failure.Code == ImageFailureCodes.Preempted,
                Code = e.Failure.Code,
            };
        }
        catch (ImageFailedException e)
        {
            return Failed(run, e.Failure);
        }
        catch (StorageException e) when (e.IsTransient)
        {
            // Our own object store is unavailable: that is not the image's fault and does not use up an attempt.
            LogStorageFailed(e, image.Id, image.RequestId);
            Activity.Current.Fail(e.Code);
            return new ImageOutcome.RetryAt(image, Delay(image, null)) { UsesAttempt = false, Code = e.Code };
        }
        catch (StorageException e)
        {
            LogStorageFailed(e, image.Id, image.RequestId);
            return Failed(run, new ImageFailure(e.Code, "The object store rejected this image."));
        }
        catch (Exception e) when (e is not OperationCanceledException && !(e is NpgsqlException && DatabaseErrors.IsTransient(e)))
        {
            LogUnexpected(e, image.Id, image.RequestId);
            if (image.Attempts >= fanOut.MaxAttempts)
                return Failed(run, InternalError);
            Activity.Current.Fail(InternalError.Code);
            return new ImageOutcome.RetryAt(image, Delay(image, null)) { Code = InternalError.Code };
        }
    }

    /// <summary>The body could not even start. Most likely the database is unavailable, which uses no attempt; whatever else it is must end.</summary>
    private ImageOutcome NotRun(ClaimedImage image, Exception e)
    {
        var isOutage = e is NpgsqlException && DatabaseErrors.IsTransient(e);
        return !isOutage && image.Attempts >= options.Value.MaxAttempts
            ? new ImageOutcome.Failed(image, InternalError.Code, InternalError.Message)
            : new ImageOutcome.RetryAt(image, Delay(image, null)) { UsesAttempt = !isOutage };
    }

    private ImageOutcome.Failed Failed(ImageRun run, ImageFailure failure)
    {
        LogFailed(run.Image.Id, run.Image.RequestId, failure.Code);
        Activity.Current.Fail(failure.Code);
        return new ImageOutcome.Failed(run.Image, failure.Code, failure.Message, run.Journal(failure.Code), run.Original);
    }

    private TimeSpan Delay(ClaimedImage image, TimeSpan? retryAfter) =>
        ImageWorkOptions.NextDelay(image.Attempts, retryAfter, options.Value, random.NextDouble());

    [LoggerMessage(Level = LogLevel.Information, Message = "Image {Image} of request {Request} failed: {Code}")]
    private partial void LogFailed(ImageId image, RequestId request, string code);

    [LoggerMessage(Level = LogLevel.Information, Message = "Image {Image} of request {Request}: {Code} on attempt {Attempt}; retrying in {Delay}")]
    private partial void LogRetrying(ImageId image, RequestId request, string code, int attempt, TimeSpan delay);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Image {Image} of request {Request} could not be stored")]
    private partial void LogStorageFailed(Exception exception, ImageId image, RequestId request);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The body of image {Image} of request {Request} could not be run; retrying later")]
    private partial void LogNotRun(Exception exception, ImageId image, RequestId request);

    [LoggerMessage(Level = LogLevel.Error, Message = "Image {Image} of request {Request} failed unexpectedly")]
    private partial void LogUnexpected(Exception exception, ImageId image, RequestId request);
}
