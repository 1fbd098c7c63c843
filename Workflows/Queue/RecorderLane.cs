using Darkroom.Data;
using Darkroom.Engine.Bodies;

namespace Darkroom.Queue;

/// <summary>A queued outcome and the task that completes when it is durable.</summary>
internal sealed class PendingOutcome(ImageOutcome outcome)
{
    private readonly TaskCompletionSource<RecordResult> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ImageOutcome Outcome { get; } = outcome;
    public Task<RecordResult> Done => _done.Task;

    public void Complete(RecordResult result) => _done.TrySetResult(result);

    public void Fail(Exception exception)
    {
        _done.TrySetException(exception);
        // Marks the exception as observed, in case nobody awaits the task: the recorder has logged it.
        _ = _done.Task.Exception;
    }
}

/// <summary>Queued outcomes of one request: one batch is written at a time while the next one fills.</summary>
internal sealed class RecorderLane(RequestId request)
{
    private readonly Queue<PendingOutcome> _waiting = [];

    public RequestId Request { get; } = request;

    public bool IsEmpty => _waiting.Count == 0;

    public void Enqueue(PendingOutcome outcome) => _waiting.Enqueue(outcome);

    /// <summary>
    /// Dequeues the oldest outcomes, at most one per image: two outcomes of the same image (a late one and its successor's) must not
    /// be in one statement, which could apply either.
    /// </summary>
    public List<PendingOutcome> TakeBatch(int max)
    {
        var batch = new List<PendingOutcome>(Math.Min(max, _waiting.Count));
        var images = new HashSet<long>();
        while (batch.Count < max && _waiting.TryPeek(out var next) && images.Add(next.Outcome.Image.Id.Value))
            batch.Add(_waiting.Dequeue());
        return batch;
    }
}
