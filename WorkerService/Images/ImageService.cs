using Darkroom.Data;
using Darkroom.Engine.Bodies;
using Darkroom.Images;
using Darkroom.Leases;
using Darkroom.Queue;
using Microsoft.Extensions.Options;

namespace Darkroom.Worker.Images;

/// <summary>
/// Claims an image for each free slot, runs its body and passes the outcome to the recorder. A claim counts as an attempt, so images are
/// only claimed when they can start.
/// </summary>
internal sealed partial class ImageService(
    ImageQueue queue,
    ImageClaimer claimer,
    ImageBodyRunner runner,
    ProcessLease process,
    TimeProvider time,
    IOptions<ImageWorkOptions> options,
    ILogger<ImageService> logger) : BackgroundService
{
    private readonly SemaphoreSlim _slots = new(options.Value.Concurrency, options.Value.Concurrency);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var abandon = new CancellationTokenSource();
        try
        {
            while (true)
                await FillAsync(stoppingToken, abandon.Token);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await DrainAsync(abandon);
        }
    }

    private async Task FillAsync(CancellationToken stopping, CancellationToken abandon)
    {
        // Claiming a few at a time saves the database a statement per image; an idle process has all its slots at once.
        var slots = 0;
        IReadOnlyList<ClaimedImage> images = [];
        try
        {
            while (slots < Math.Max(1, options.Value.Concurrency / 8))
            {
                await _slots.WaitAsync(stopping);
                slots++;
            }

            while (_slots.Wait(0))
                slots++;
            if (!process.Held.IsCancellationRequested)
                images = await claimer.ClaimAsync(slots, stopping);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogClaimFailed(e);
        }
        finally
        {
            // Even when stopping: draining waits for every slot, and would otherwise hang.
            if (slots > images.Count)
                _slots.Release(slots - images.Count);
        }

        foreach (var image in images)
            _ = RunAsync(image, abandon);
        if (images.Count == 0)
            await queue.WaitForWorkAsync(stopping);
    }

    private async Task RunAsync(ClaimedImage image, CancellationToken abandon)
    {
        try
        {
            using var held = CancellationTokenSource.CreateLinkedTokenSource(abandon, process.Held);
            await runner.RunAsync(image, held.Token);
        }
        catch (Exception e)
        {
            // It could not even be handed back. It is no longer tracked, so LostClaimReturner will do that.
            LogRunFailed(e, image.Id, image.RequestId);
        }
        finally
        {
            _slots.Release();
        }
    }

    /// <summary>
    /// Gives running images some time to finish, then cancels them so that they are handed back, and waits for the last one.
    /// </summary>
    private async Task DrainAsync(CancellationTokenSource abandon)
    {
        var drained = Task.Run(async () =>
        {
            for (var i = 0; i < options.Value.Concurrency; i++)
                await _slots.WaitAsync(CancellationToken.None);
        });
        await Task.WhenAny(drained, Task.Delay(options.Value.Stop, time, CancellationToken.None));
        await abandon.CancelAsync();
        await drained;
    }

    public override void Dispose()
    {
        _slots.Dispose();
        base.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Images could not be claimed; retrying")]
    private partial void LogClaimFailed(Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "No outcome could be recorded for image {Image} of request {Request}")]
    private partial void LogRunFailed(Exception exception, ImageId image, RequestId request);
}
