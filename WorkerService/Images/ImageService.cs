using Darkroom.Data;
using Darkroom.Engine.Bodies;
using Darkroom.Images;
using Darkroom.Leases;
using Darkroom.Queue;
using Microsoft.Extensions.Options;

namespace Darkroom.Worker.Images;

/// <summary>
/// Keeps as many images in hand as this process may: claims one for each free place, runs its body, hands the outcome to the
/// recorder. A claim is a started body, so nothing that merely waits here counts as an attempt.
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
    private readonly SemaphoreSlim _places = new(options.Value.InHand, options.Value.InHand);
    private readonly ExclusiveGate _gate = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var abandon = new CancellationTokenSource();
        try
        {
            while (true) await FillAsync(stoppingToken, abandon.Token);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await DrainAsync(abandon);
        }
    }

    private async Task FillAsync(CancellationToken stopping, CancellationToken abandon)
    {
        // Claiming a few at a time saves the database a statement per image; an idle process has all its places at once.
        var places = 0;
        IReadOnlyList<ClaimedImage> images = [];
        try
        {
            while (places < Math.Max(1, options.Value.InHand / 8))
            {
                await _places.WaitAsync(stopping);
                places++;
            }

            while (_places.Wait(0)) places++;
            if (!process.Held.IsCancellationRequested) images = await claimer.ClaimAsync(places, stopping);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogClaimFailed(e);
        }
        finally
        {
            // Also when stopping: draining waits for every place, and would wait for these for ever.
            if (places > images.Count) _places.Release(places - images.Count);
        }

        foreach (var image in images) _ = RunAsync(image, abandon);
        if (images.Count == 0) await queue.WaitForWorkAsync(stopping);
    }

    private async Task RunAsync(ClaimedImage image, CancellationToken abandon)
    {
        await _gate.EnterAsync(image.Suspect);
        try
        {
            using var held = CancellationTokenSource.CreateLinkedTokenSource(abandon, process.Held);
            await runner.RunAsync(image, held.Token);
        }
        catch (Exception e)
        {
            // It could not even be handed back. It is no longer held, so LostClaimReturner does it.
            LogRunFailed(e, image.Id, image.RequestId);
        }
        finally
        {
            _gate.Leave();
            _places.Release();
        }
    }

    /// <summary>Lets what is in hand finish for a while, then makes it hand itself back, and waits for the last one.</summary>
    private async Task DrainAsync(CancellationTokenSource abandon)
    {
        var drained = Task.Run(async () =>
        {
            for (var i = 0; i < options.Value.InHand; i++) await _places.WaitAsync(CancellationToken.None);
        });
        await Task.WhenAny(drained, Task.Delay(options.Value.Stop, time, CancellationToken.None));
        await abandon.CancelAsync();
        await drained;
    }

    public override void Dispose()
    {
        _places.Dispose();
        base.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Images could not be claimed; trying again")]
    private partial void LogClaimFailed(Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "Image {Image} of request {Request} could not be brought to an outcome")]
    private partial void LogRunFailed(Exception exception, ImageId image, RequestId request);
}
