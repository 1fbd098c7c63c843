using Darkroom.Access;
using Darkroom.Data;
using Darkroom.Leases;
using Darkroom.Telemetry;
using Darkroom.Webhooks;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Worker.Webhooks;

/// <summary>
/// Claims and sends due webhooks: to many receivers at once, but only a few deliveries to each, so that a dead receiver cannot take up the
/// slots of others.
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
    ILogger<WebhookDispatcher> logger) : SupervisedService(time, logger)
{
    // Delay between tries to record an attempt while the database is unavailable.
    private static readonly TimeSpan RecordRetryDelay = TimeSpan.FromSeconds(1);

    private readonly DispatchSlots _slots = new(options.Value);

    protected override async Task RunAsync(CancellationToken stopping)
    {
        await using var signal = new PostgresNotificationListener(database, WebhookOutbox.Channel, options.Value.Poll, Time, logger);
        signal.Start();
        using var stopSending = new CancellationTokenSource();
        await using (var dueTimer = Time.CreateTimer(_ => signal.Set(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan))
        {
            try
            {
                await DispatchAsync(signal, dueTimer, stopSending.Token, stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
            }
        }

        // Attempts that finish soon are still recorded; the rest are handed back and will be sent again under the same id.
        await Task.WhenAny(_slots.Idle(), Task.Delay(options.Value.Drain, Time, CancellationToken.None));
        await stopSending.CancelAsync();
        await Task.WhenAny(_slots.Idle(), Task.Delay(options.Value.Drain, Time, CancellationToken.None));
    }

    private async Task DispatchAsync(PostgresNotificationListener signal, ITimer dueTimer, CancellationToken stopSending, CancellationToken stopping)
    {
        long? scanned = null;
        while (true)
        {
            try
            {
                if (scanned is not { } last || Time.GetElapsedTime(last) >= lease.Value.Scan)
                {
                    await FreeAbandonedAsync(stopping);
                    scanned = Time.GetTimestamp();
                }

                // Before claiming: otherwise a delivery that falls due between the two queries would have to wait for the next poll.
                if (await claims.NextDueAsync(stopping) is { } wait && wait < options.Value.Poll)
                    dueTimer.Change(wait, Timeout.InfiniteTimeSpan);

                await ClaimAsync(signal, stopSending, stopping);
            }
            catch (Exception e) when (!stopping.IsCancellationRequested)
            {
                LogClaimFailed(e);
                // The claim may have been committed although its response was lost; the next scan frees claims that nobody is sending.
                scanned = null;
            }

            await signal.WaitAsync(stopping);
        }
    }

    private async Task FreeAbandonedAsync(CancellationToken cancellationToken)
    {
        var freed = await claims.FreeAbandonedAsync(process.Id, _slots.InFlight(), cancellationToken);
        metrics.ClaimsRecovered(ClaimKind.Webhook, freed);
        if (freed > 0)
            LogFreed(freed);
    }

    private async Task ClaimAsync(PostgresNotificationListener signal, CancellationToken stopSending, CancellationToken stopping)
    {
        // Read before the id: if the lease is replaced in between, deliveries claimed under the new id are cancelled by the old token.
        var held = process.Held;
        var freed = _slots.Freed;
        if (held.IsCancellationRequested || _slots.Room() is not { Total: > 0 } room)
            return;
        foreach (var delivery in await claims.ClaimAsync(process.Id, room, stopping))
        {
            _slots.Take(delivery);
            _ = RunAsync(delivery, signal, stopSending, held);
        }

        // Deliveries may have been skipped for want of a slot that has become free in the meantime.
        if (_slots.Freed != freed)
            signal.Set();
    }

    private async Task RunAsync(ClaimedDelivery delivery, PostgresNotificationListener signal, CancellationToken stopSending, CancellationToken held)
    {
        bool? responded = null;
        var isDueAgain = false;
        using var span = DarkroomTracing.StartAttempt(delivery.TraceParent, delivery.Request, delivery.Id);
        using var scope = logger.BeginDelivery(delivery.Request, delivery.Id);
        try
        {
            using var running = CancellationTokenSource.CreateLinkedTokenSource(stopSending, held);
            try
            {
                var live = await secrets.LiveAsync(delivery.Owner, running.Token);
                var outcome = await sender.SendAsync(delivery, live, running.Token);
                responded = outcome.Status is not null;
                if (outcome.Error is not null)
                    span.Fail(outcome.Error);
                isDueAgain = await RecordAsync(delivery, outcome, held);
            }
            catch (OperationCanceledException) when (running.IsCancellationRequested)
            {
                await HandBackAsync(delivery, held);
            }
        }
        catch (Exception e)
        {
            // The claim is no longer tracked, so the next scan for abandoned claims frees it.
            LogSendFailed(e, delivery.Id, delivery.Request.Value);
        }
        finally
        {
            // Otherwise there is nothing to claim that was not there before.
            if (_slots.Free(delivery, responded) || isDueAgain)
                signal.Set();
        }
    }

    /// <summary>Returns whether there will be another attempt.</summary>
    private async Task<bool> RecordAsync(ClaimedDelivery delivery, WebhookOutcome outcome, CancellationToken held)
    {
        var delay = outcome.Error is null ? null : WebhookSchedule.DelayAfter(
            delivery.Failed + 1, random.NextDouble(), outcome.RetryAfter, options.Value.MaxRetryAfter);
        while (true)
        {
            try
            {
                var ours = await claims.RecordAsync(delivery, outcome, delay, held);
                if (ours)
                    ReportAttempt(outcome, delay, delivery);
                return delay is not null;
            }
            catch (Exception e) when (DatabaseErrors.IsTransient(e) && !held.IsCancellationRequested)
            {
                LogRecordFailed(e, delivery.Id);
                await Task.Delay(RecordRetryDelay, Time, held);
            }
        }
    }

    private async Task HandBackAsync(ClaimedDelivery delivery, CancellationToken held)
    {
        // If the lease is lost, so is the claim, and another process may already be sending.
        if (held.IsCancellationRequested)
            return;
        using var timeout = new CancellationTokenSource(options.Value.Timeout, Time);
        await claims.ReleaseAsync([delivery], timeout.Token);
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
        if (outcome.Error is null)
            LogDelivered(delivery.Id, delivery.Request.Value, milliseconds);
        else if (outcome.Gone)
            LogDisabled(delivery.Id, delivery.Request.Value);
        else if (delay is { } wait)
            LogRetry(delivery.Id, delivery.Request.Value, outcome.Error, wait);
        else
            LogGivenUp(delivery.Id, delivery.Request.Value, outcome.Error);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Webhook {Delivery} of request {Request} delivered in {Milliseconds} ms")]
    private partial void LogDelivered(string delivery, Guid request, int milliseconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "Webhook {Delivery} of request {Request} failed with {Error}; retrying in {Delay}")]
    private partial void LogRetry(string delivery, Guid request, string error, TimeSpan delay);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Webhook {Delivery} of request {Request} failed for the last Time, with {Error}")]
    private partial void LogGivenUp(string delivery, Guid request, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The receiver of webhook {Delivery} of request {Request} responded 410; its endpoint is now disabled")]
    private partial void LogDisabled(string delivery, Guid request);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Freed {Count} abandoned webhook claims")]
    private partial void LogFreed(int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Due webhooks could not be claimed; retrying")]
    private partial void LogClaimFailed(Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The attempt to deliver webhook {Delivery} could not be recorded; retrying")]
    private partial void LogRecordFailed(Exception exception, string delivery);

    [LoggerMessage(Level = LogLevel.Error, Message = "Sending webhook {Delivery} of request {Request} failed unexpectedly")]
    private partial void LogSendFailed(Exception exception, string delivery, Guid request);
}
