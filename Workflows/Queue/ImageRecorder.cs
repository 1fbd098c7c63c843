using Darkroom.Data;
using Darkroom.Engine.Bodies;
using Darkroom.Images;
using Darkroom.Requests;
using Darkroom.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Queue;

/// <summary>
/// Makes outcomes durable. They are written in batches, those of several requests together, so that an image costs no more if many requests are
/// open. Each batch is one transaction, which also updates the requests' counters and, after a request's last image, resumes its workflow.
/// </summary>
/// <remarks>
/// After a transient error a batch is retried until it is written or its claims are lost. The fence makes that safe, even if the first
/// commit succeeded and only its response was lost.
/// </remarks>
public sealed partial class ImageRecorder : IAsyncDisposable
{
    private static readonly TimeSpan InitialRetryDelay = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan MaxRetryDelay = TimeSpan.FromSeconds(5);

    private readonly OutcomeStore _store;
    private readonly HeldClaims _held;
    private readonly TimeProvider _time;
    private readonly DarkroomMetrics _metrics;
    private readonly QueueOptions _options;
    private readonly ILogger<ImageRecorder> _logger;
    private readonly Lock _gate = new();
    private readonly RecorderLanes _lanes = new();
    private readonly HashSet<Task> _working = [];
    private readonly SemaphoreSlim _capacity;
    private readonly SemaphoreSlim _connections;
    private readonly CancellationTokenSource _abort = new();
    private bool _isGathering;

    public ImageRecorder(
        NpgsqlDataSource database, HeldClaims held, TimeProvider time, DarkroomMetrics metrics, IOptions<QueueOptions> options,
        ILogger<ImageRecorder> logger)
    {
        _store = new OutcomeStore(database);
        _held = held;
        _time = time;
        _metrics = metrics;
        _options = options.Value;
        _logger = logger;
        _capacity = new SemaphoreSlim(_options.RecordCapacity);
        _connections = new SemaphoreSlim(_options.RecordConcurrency);
    }

    /// <summary>
    /// Queues an outcome and returns when it is durable. Cancelling stops the wait, not the recording. If the database is behind, waits
    /// for capacity first.
    /// </summary>
    public async Task<RecordResult> RecordAsync(ImageOutcome outcome, CancellationToken cancellationToken)
    {
        await _capacity.WaitAsync(cancellationToken);
        var pending = new PendingOutcome(outcome);
        Enqueue(pending);
        return await pending.Done.WaitAsync(cancellationToken);
    }

    /// <summary>
    /// Queues an outcome and returns as soon as there is capacity for it, so that its slot is free while the database writes. Errors
    /// are logged here. <see cref="DrainAsync"/> waits until it is written.
    /// </summary>
    public async Task EnqueueAsync(ImageOutcome outcome, CancellationToken cancellationToken)
    {
        await _capacity.WaitAsync(cancellationToken);
        Enqueue(new PendingOutcome(outcome));
    }

    /// <summary>Returns when all queued outcomes are durable. Cancelling abandons the rest: their claims end with the process.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        await using var giveUp = cancellationToken.Register(_abort.Cancel);
        while (true)
        {
            Task[] working;
            lock (_gate)
                working = [.. _working];
            if (working.Length == 0)
                return;
            await Task.WhenAll(working);
        }
    }

    private void Enqueue(PendingOutcome pending)
    {
        lock (_gate)
        {
            _lanes.Enqueue(pending);
            StartIfReady();
        }
    }

    /// <summary>Starts a writer, unless there are enough or one is still gathering its first batch.</summary>
    private void StartIfReady()
    {
        if (!_lanes.AreReady || _isGathering || _working.Count == _options.RecordConcurrency)
            return;
        _isGathering = true;
        // A batch holds many images, so it must not run inside the span and log scope of the first one.
        using var suppressed = ExecutionContext.IsFlowSuppressed() ? default(AsyncFlowControl?) : ExecutionContext.SuppressFlow();
        var work = Task.Run(WorkAsync);
        _working.Add(work);
        _ = work.ContinueWith(Forget, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private void Forget(Task work)
    {
        lock (_gate)
        {
            _working.Remove(work);
            // What became ready after this writer had last looked found all writers at work.
            StartIfReady();
        }
    }

    /// <summary>Writes batches until nothing is ready.</summary>
    private async Task WorkAsync()
    {
        if (_options.RecordLinger > TimeSpan.Zero)
            await Task.Delay(_options.RecordLinger, _time, _abort.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        for (var batch = TakeFirst(); batch.Count > 0; batch = Take())
            await WriteAsync(batch);
    }

    private List<LaneBatch> TakeFirst()
    {
        lock (_gate)
        {
            _isGathering = false;
            return Take();
        }
    }

    private List<LaneBatch> Take()
    {
        lock (_gate)
        {
            var batch = _lanes.Take(_options.RecordBatch);
            StartIfReady();
            return batch;
        }
    }

    /// <summary>Writes a batch in one transaction or, if one request is locked or an outcome is rejected, each request's part in its own.</summary>
    private async Task WriteAsync(List<LaneBatch> batch)
    {
        if (batch.Count > 1 && await TryWriteTogetherAsync([.. batch.SelectMany(part => part.Outcomes)]))
            foreach (var part in batch)
                Release(part);
        else
            await Task.WhenAll(batch.Select(WriteAloneAsync));
    }

    private async Task<bool> TryWriteTogetherAsync(List<PendingOutcome> batch)
    {
        try
        {
            await RecordWithRetriesAsync(batch);
        }
        catch (Exception e) when (DatabaseErrors.IsDataError(e) || IsHeldUpByOne(batch, e))
        {
            return false;
        }
        catch (Exception e)
        {
            GiveUp(batch, e);
        }

        return true;
    }

    /// <summary>Whether the outcomes of several requests have waited too long for the row of one.</summary>
    private static bool IsHeldUpByOne(List<PendingOutcome> batch, Exception exception) =>
        exception is PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable }
        && batch.Exists(pending => pending.Outcome.Image.RequestId != batch[0].Outcome.Image.RequestId);

    private async Task WriteAloneAsync(LaneBatch part)
    {
        await WriteAsync(part.Outcomes);
        Release(part);
    }

    private void Release(LaneBatch part)
    {
        _capacity.Release(part.Outcomes.Count);
        lock (_gate)
        {
            _lanes.Release(part.Lane);
            StartIfReady();
        }
    }

    /// <summary>Writes outcomes of one request.</summary>
    private async Task WriteAsync(List<PendingOutcome> batch)
    {
        try
        {
            await RecordWithRetriesAsync(batch);
        }
        catch (Exception e) when (DatabaseErrors.IsDataError(e))
        {
            await SplitAsync(batch, e);
        }
        catch (Exception e)
        {
            GiveUp(batch, e);
        }
    }

    private void GiveUp(List<PendingOutcome> batch, Exception exception)
    {
        // The rows still name this process: they are freed when it ends, or handed back because they are no longer tracked.
        if (exception is not OperationCanceledException)
            LogGivenUp(batch.Count, exception);
        foreach (var pending in batch)
        {
            _held.Remove(pending.Outcome.Image);
            pending.Fail(exception);
        }
    }

    private async Task RecordWithRetriesAsync(List<PendingOutcome> batch)
    {
        var outcomes = batch.Select(p => p.Outcome).ToList();
        HashSet<ImageId> recorded;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await _connections.WaitAsync(_abort.Token);
                try
                {
                    recorded = await _store.RecordAsync(outcomes, _abort.Token);
                }
                finally
                {
                    _connections.Release();
                }

                break;
            }
            catch (Exception e) when (DatabaseErrors.IsTransient(e) && !IsHeldUpByOne(batch, e) && !_abort.IsCancellationRequested)
            {
                LogRetried(batch.Count, e);
                await Task.Delay(Backoff.NextDelay(attempt, InitialRetryDelay, MaxRetryDelay, jitter: 0.5), _time, _abort.Token);
            }
        }

        foreach (var pending in batch)
        {
            _held.Remove(pending.Outcome.Image);
            var ours = recorded.Contains(pending.Outcome.Image.Id);
            if (ours)
                Count(pending.Outcome);
            pending.Complete(ours ? RecordResult.Recorded : RecordResult.Superseded);
        }
    }

    private void Count(ImageOutcome outcome)
    {
        var format = outcome.Source?.Format.Extension();
        switch (outcome)
        {
            case ImageOutcome.Succeeded succeeded:
                _metrics.ImageSucceeded(format, outcome.Source?.Bytes ?? succeeded.Original?.Bytes ?? 0, succeeded.Output.Bytes);
                break;
            case ImageOutcome.Failed failed:
                _metrics.ImageFailed(format, FailureLabels.Of(failed.Code));
                if (failed.Code == ImageFailureCodes.DecoderCrashed)
                    _metrics.ImagePoisoned();
                break;
            case ImageOutcome.RetryAt retry:
                _metrics.ImageRetried(FailureLabels.Of(retry.Code));
                break;
        }
    }

    /// <summary>Splits a rejected batch until the bad outcome is alone, and records that image as failed with a generic message.</summary>
    private async Task SplitAsync(List<PendingOutcome> batch, Exception refusal)
    {
        if (batch.Count > 1)
        {
            var half = batch.Count / 2;
            await WriteAsync(batch[..half]);
            await WriteAsync(batch[half..]);
            return;
        }

        var culprit = batch[0];
        var image = culprit.Outcome.Image;
        LogRefused(image.RequestId, image.Row, image.Position, refusal);
        if (culprit.Outcome is ImageOutcome.Failed { Code: QueueFailureCodes.RecordFailed })
        {
            _held.Remove(image);
            culprit.Fail(refusal);
            return;
        }

        var replacement = new PendingOutcome(new ImageOutcome.Failed(
            image, QueueFailureCodes.RecordFailed, "The image was processed, but its result could not be recorded."));
        await WriteAsync([replacement]);
        try
        {
            var result = await replacement.Done;
            culprit.Complete(result == RecordResult.Recorded ? RecordResult.Replaced : result);
        }
        catch (Exception e)
        {
            culprit.Fail(e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _abort.CancelAsync();
        await DrainAsync(CancellationToken.None);
        _abort.Dispose();
        _capacity.Dispose();
        _connections.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Retrying to record {Count} images after a transient error")]
    private partial void LogRetried(int count, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "The database rejected the outcome of image {Row}-{Position} of request {Request}")]
    private partial void LogRefused(RequestId request, int row, int position, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "Gave up recording {Count} images")]
    private partial void LogGivenUp(int count, Exception exception);
}

/// <summary>What the recorder did with an outcome.</summary>
public enum RecordResult
{
    /// <summary>It is durable and counted.</summary>
    Recorded,

    /// <summary>
    /// It changed nothing: the claim was lost, the request has ended, or an earlier attempt whose response was lost had recorded it.
    /// </summary>
    Superseded,

    /// <summary>The database rejected it; the image was recorded as failed with <see cref="QueueFailureCodes.RecordFailed"/>.</summary>
    Replaced,
}

/// <summary>Failure codes that the queue itself records. They appear in the <c>Errors</c> column and in the API.</summary>
public static class QueueFailureCodes
{
    /// <summary>The database rejected the image's outcome.</summary>
    public const string RecordFailed = "record_failed";
}
