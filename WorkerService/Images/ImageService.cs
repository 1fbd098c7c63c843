using Darkroom.Data;
using Darkroom.Engine.Bodies;
using Darkroom.Images;
using Darkroom.Leases;
using Darkroom.Queue;
using Microsoft.Extensions.Options;

namespace Darkroom.Worker.Images;

/// <summary>
/// Claims images for the free places, runs their bodies and passes the outcomes to the recorder. A claim counts as an attempt, so images
/// are only claimed when they can start.
/// </summary>
internal sealed partial class ImageService(
    ImageQueue queue,
    ImageClaimer claimer,
    ImageBodyRunner runner,
    DownloadSlots downloads,
    PixelBudget codecs,
    ProcessLease process,
    TimeProvider time,
    IOptions<ImageWorkOptions> options,
    ILogger<ImageService> logger) : SupervisedService(time, logger)
{
    private readonly ImagePlaces _places = new(options.Value.Concurrency, Math.Max(1, options.Value.Concurrency / 8), codecs) { Freed = queue.Wake };
    private readonly CancellationTokenSource _abandon = new();

    protected override async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
                await FillAsync(stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            await DrainAsync();
        }
    }

    private async Task FillAsync(CancellationToken stopping)
    {
        var places = _places.Count();
        try
        {
            if (!process.Held.IsCancellationRequested)
                Start(await claimer.ClaimAsync(places, stopping), places);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogClaimFailed(e);
        }

        // Nothing more to claim until images are queued or places become free; either wakes this.
        await queue.WaitForWorkAsync(stopping);
    }

    private void Start(ClaimResult claimed, PlaceUsage places)
    {
        downloads.MakeRoom(claimed.Missing, places.Held.ToDictionary(held => held.Key, held => held.Value - claimed.Share));
        foreach (var image in claimed.Images)
        {
            _places.Take(image.Owner);
            _ = Task.Run(() => RunAsync(image, claimed.Held), CancellationToken.None);
        }
    }

    private async Task RunAsync(ClaimedImage image, CancellationToken leaseHeld)
    {
        try
        {
            using var held = CancellationTokenSource.CreateLinkedTokenSource(_abandon.Token, leaseHeld);
            await runner.RunAsync(image, held.Token);
        }
        catch (Exception e)
        {
            // It could not even be handed back. It is no longer tracked, so LostClaimReturner will do that.
            LogRunFailed(e, image.Id, image.RequestId);
        }
        finally
        {
            _places.Release(image.Owner);
        }
    }

    /// <summary>
    /// Gives running images some time to finish, then cancels them so that they are handed back, and waits for the last one.
    /// </summary>
    private async Task DrainAsync()
    {
        var drained = _places.EmptyAsync();
        await Task.WhenAny(drained, Task.Delay(options.Value.Stop, Time, CancellationToken.None));
        await _abandon.CancelAsync();
        await drained;
    }

    public override void Dispose()
    {
        _abandon.Dispose();
        base.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Images could not be claimed; retrying")]
    private partial void LogClaimFailed(Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "No outcome could be recorded for image {Image} of request {Request}")]
    private partial void LogRunFailed(Exception exception, ImageId image, RequestId request);
}
