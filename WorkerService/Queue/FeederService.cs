using System.Collections.Concurrent;
using Darkroom.Data;
using Darkroom.Queue;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Worker.Queue;

/// <summary>
/// Feeds the image queue: when a fan-out opens, regularly while one is open, and occasionally in case a signal was lost. However many open, it
/// passes no more often than is set, and less often if a pass has much to count.
/// </summary>
internal sealed partial class FeederService(
    ImageFeeder feeder,
    NpgsqlDataSource database,
    TimeProvider time,
    IOptions<QueueOptions> options,
    ILogger<FeederService> logger) : SupervisedService(time, logger)
{
    /// <summary>Offered images that lengthen the pause by one <see cref="QueueOptions.Feed"/>: a pass counts as many in some 2 ms.</summary>
    private const int CountedPerPause = 5_000;

    private readonly ConcurrentQueue<RequestId> _withdrawn = new();

    protected override async Task RunAsync(CancellationToken stopping)
    {
        await using var images = new PostgresNotificationListener(database, FanOut.Channel, options.Value.Idle, Time, logger) { OnNotification = QueueWithdrawal };
        images.Start();
        try
        {
            while (true)
            {
                await WithdrawAsync(stopping);
                var begun = Time.GetTimestamp();
                var fed = await FeedAsync(stopping);
                if (fed.Offered > 0)
                    continue;
                var pause = options.Value.Feed * (1 + (fed.Counted / CountedPerPause));
                await images.WaitAsync(fed.Open > 0 ? pause : options.Value.Idle, stopping);
                if (pause - Time.GetElapsedTime(begun) is { Ticks: > 0 } left)
                    await Task.Delay(left, Time, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Shutting down: offers stay in place, and other workers feed the rest.
        }
    }

    private void QueueWithdrawal(string payload)
    {
        if (Guid.TryParse(payload, out var request))
            _withdrawn.Enqueue(new RequestId(request));
    }

    private async Task WithdrawAsync(CancellationToken stopping)
    {
        while (_withdrawn.TryDequeue(out var request))
        {
            try
            {
                await feeder.WithdrawAsync(request, stopping);
            }
            catch (Exception e) when (!stopping.IsCancellationRequested)
            {
                // Claimers will discard the ids.
                LogNotWithdrawn(e, request);
            }
        }
    }

    private async Task<FeedResult> FeedAsync(CancellationToken stopping)
    {
        try
        {
            return await feeder.FeedAsync(stopping);
        }
        catch (Exception e) when (!stopping.IsCancellationRequested)
        {
            LogFailed(e);
            return default;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The queued images of the cancelled request {Request} could not be removed")]
    private partial void LogNotWithdrawn(Exception exception, RequestId request);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Images could not be offered; retrying")]
    private partial void LogFailed(Exception exception);
}
