using Darkroom.Access;
using Darkroom.Data;
using Darkroom.Leases;
using Darkroom.Telemetry;
using Darkroom.Webhooks;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Worker.Webhooks;

/// <summary>
/// Claims due webhooks and sends them, many receivers at once and a few deliveries to each, so that a dead receiver costs its own
/// slots and nobody else's.
/// </summary>
internal sealed partial class WebhookDispatcher(
    NpgsqlDataSource database,
    WebhookClaims claims,
    WebhookSecrets secrets,
    WebhookSender sender,
    ProcessLease process,
    TimeProvider time,
    Random random,
    DarkroomMetrics metrics,
    IOptions<WebhookOptions> options,
    IOptions<ProcessLeaseOptions> lease,
    ILogger<WebhookDispatcher> logger) : BackgroundService
{
    // Between tries to write down how an attempt ended, while the database is away.
    private static readonly TimeSpan RecordAgain = TimeSpan.FromSeconds(1);

    private readonly DispatchSlots _slots = new(options.Value);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var signal = new PostgresNotificationListener(database, WebhookOutbox.Channel, options.Value.Poll, time, logger);
        signal.Start();
        using var stopSending = new CancellationTokenSource();
        await using (var alarm = time.CreateTimer(_ => signal.Set(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan))
        {
            try
            {
                await DispatchAsync(signal, alarm, stopSending.Token, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
            }
        }

        // Whoever answers soon is still heard; the rest is handed back, to be sent again under the same id.
        await Task.WhenAny(_slots.Idle(), Task.Delay(options.Value.Drain, time, CancellationToken.None));
        await stopSending.CancelAsync();
        await Task.WhenAny(_slots.Idle(), Task.Delay(options.Value.Drain, time, CancellationToken.None));
    }

    private async Task DispatchAsync(PostgresNotificationListener signal, ITimer alarm, CancellationToken stopSending, CancellationToken stopping)
    {
        long? scanned = null;
        while (true)
        {
            try
            {
                if (scanned is not { } last || time.GetElapsedTime(last) >= lease.Value.Scan)
                {
                    await FreeAbandonedAsync(stopping);
                    scanned = time.GetTimestamp();
                }

                // Before the claim: what falls due between the two is then known to the alarm, and not to nobody until the next poll.
                if (await claims.NextDueAsync(stopping) is { } wait && wait < options.Value.Poll) alarm.Change(wait, Timeout.InfiniteTimeSpan);

                // Until nothing comes: what this claim left out for want of room may fit after others ended meanwhile.
                while (await ClaimAsync(signal, stopSending, stopping) > 0)
                {
                }
            }
            catch (Exception e) when (!stopping.IsCancellationRequested)
            {
                LogClaimFailed(e);
                // The claim may have been committed though its answer was lost; the next look frees what nobody sends.
                scanned = null;
            }

            await signal.WaitAsync(stopping);
        }
    }

    private async Task FreeAbandonedAsync(CancellationToken cancellationToken)
    {
        var freed = await claims.FreeAbandonedAsync(process.Id, _slots.UnderWay(), cancellationToken);
        metrics.ClaimsRecovered(ClaimKind.Webhook, freed);
        if (freed > 0) LogFreed(freed);
    }

    private async Task<int> ClaimAsync(PostgresNotificationListener signal, CancellationToken stopSending, CancellationToken stopping)
    {
        // Read before the id: should the lease start over in between, what is claimed under the new id is not sent under the old token.
        var held = process.Held;
        if (held.IsCancellationRequested || _slots.Room() is not { Total: > 0 } room) return 0;
        var claimed = await claims.ClaimAsync(process.Id, room, stopping);
        foreach (var delivery in claimed)
        {
            _slots.Take(delivery);
            _ = RunAsync(delivery, signal, stopSending, held);
        }

        return claimed.Count;
    }

    private async Task RunAsync(ClaimedDelivery delivery, PostgresNotificationListener signal, CancellationToken stopSending, CancellationToken held)
    {
        bool? answered = null;
        using var span = DarkroomTracing.StartAttempt(delivery.TraceParent, delivery.Request, delivery.Id);
        using var scope = logger.BeginDelivery(delivery.Request, delivery.Id);
        try
        {
            using var running = CancellationTokenSource.CreateLinkedTokenSource(stopSending, held);
            try
            {
                var live = await secrets.LiveAsync(delivery.Owner, running.Token);
                var outcome = await sender.SendAsync(delivery, live, running.Token);
                answered = outcome.Status is not null;
                if (outcome.Error is not null) span.Fail(outcome.Error);
                await RecordAsync(delivery, outcome, held);
            }
            catch (OperationCanceledException) when (running.IsCancellationRequested)
            {
                await HandBackAsync(delivery, held);
            }
        }
        catch (Exception e)
        {
            // The claim is not held any more in our books, so the next look for abandoned ones frees it.
            LogSendFailed(e, delivery.Id, delivery.Request.Value);
        }
        finally
        {
            _slots.Free(delivery, answered);
            signal.Set();
        }
    }

    private async Task RecordAsync(ClaimedDelivery delivery, WebhookOutcome outcome, CancellationToken held)
    {
        var delay = outcome.Error is null ? null : WebhookSchedule.DelayAfter(
            delivery.Failed + 1, random.NextDouble(), outcome.RetryAfter, options.Value.MaxRetryAfter);
        while (true)
        {
            try
            {
                var ours = await claims.RecordAsync(delivery, outcome, delay, held);
                if (ours) ReportAttempt(outcome, delay, delivery);
                return;
            }
            catch (Exception e) when (DatabaseErrors.IsTransient(e) && !held.IsCancellationRequested)
            {
                LogRecordFailed(e, delivery.Id);
                await Task.Delay(RecordAgain, time, held);
            }
        }
    }

    private async Task HandBackAsync(ClaimedDelivery delivery, CancellationToken held)
    {
        // With the lease the claim is lost anyway, and another process may already be sending.
        if (held.IsCancellationRequested) return;
        using var limit = new CancellationTokenSource(options.Value.Timeout, time);
        await claims.ReleaseAsync([delivery], limit.Token);
    }

    private void ReportAttempt(WebhookOutcome outcome, TimeSpan? delay, ClaimedDelivery delivery)
    {
        var milliseconds = (int)outcome.Duration.TotalMilliseconds;
        metrics.WebhookAttempted(outcome switch
        {
            { Error: null } => "delivered",
            { Gone: true } => "disabled",
            _ => delay is null ? "failed" : "retried",
        });
        if (outcome.Error is null) LogDelivered(delivery.Id, delivery.Request.Value, milliseconds);
        else if (outcome.Gone) LogDisabled(delivery.Id, delivery.Request.Value);
        else if (delay is { } wait) LogRetry(delivery.Id, delivery.Request.Value, outcome.Error, wait);
        else LogGivenUp(delivery.Id, delivery.Request.Value, outcome.Error);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Webhook {Delivery} of request {Request} delivered in {Milliseconds} ms")]
    private partial void LogDelivered(string delivery, Guid request, int milliseconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "Webhook {Delivery} of request {Request} failed with {Error}; again in {Delay}")]
    private partial void LogRetry(string delivery, Guid request, string error, TimeSpan delay);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Webhook {Delivery} of request {Request} failed for the last time, with {Error}")]
    private partial void LogGivenUp(string delivery, Guid request, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The receiver of webhook {Delivery} of request {Request} answered 410; its endpoint is disabled")]
    private partial void LogDisabled(string delivery, Guid request);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Freed {Count} webhooks whose sender died")]
    private partial void LogFreed(int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Due webhooks could not be claimed; trying again")]
    private partial void LogClaimFailed(Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The attempt at webhook {Delivery} could not be recorded; trying again")]
    private partial void LogRecordFailed(Exception exception, string delivery);

    [LoggerMessage(Level = LogLevel.Error, Message = "Sending webhook {Delivery} of request {Request} failed unexpectedly")]
    private partial void LogSendFailed(Exception exception, string delivery, Guid request);
}
