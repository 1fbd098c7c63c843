using System.Collections.Concurrent;
using Darkroom.Data;
using Darkroom.Queue;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Worker.Queue;

/// <summary>Feeds the image queue: when a fan-out opens, steadily while one is open, and now and then in case a signal was lost.</summary>
internal sealed partial class FeederService(
    ImageFeeder feeder,
    NpgsqlDataSource database,
    TimeProvider time,
    IOptions<QueueOptions> options,
    ILogger<FeederService> logger) : BackgroundService
{
    private readonly ConcurrentQueue<RequestId> _withdrawn = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var images = new PostgresNotificationListener(database, FanOut.Channel, options.Value.Idle, time, logger) { OnNotification = Hear };
        images.Start();
        try
        {
            while (true)
            {
                await WithdrawAsync(stoppingToken);
                var fed = await FeedAsync(stoppingToken);
                if (fed.Offered == 0)
                    await images.WaitAsync(fed.Open > 0 ? options.Value.Feed : options.Value.Idle, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping: what is offered stays offered, and others feed the rest.
        }
    }

    private void Hear(string payload)
    {
        if (Guid.TryParse(payload, out var request)) _withdrawn.Enqueue(new RequestId(request));
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
                // Claimers will meet the ids and drop them.
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "What is queued of the cancelled request {Request} could not be withdrawn")]
    private partial void LogNotWithdrawn(Exception exception, RequestId request);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Images could not be offered; trying again")]
    private partial void LogFailed(Exception exception);
}
