using Darkroom.Engine.Bodies;

namespace Darkroom.Queue;

/// <summary>An outcome and whoever waits for it to be durable.</summary>
internal sealed class PendingOutcome(ImageOutcome outcome)
{
    private readonly TaskCompletionSource<RecordResult> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ImageOutcome Outcome { get; } = outcome;
    public Task<RecordResult> Done => _done.Task;

    public void Complete(RecordResult result) => _done.TrySetResult(result);

    public void Fail(Exception exception)
    {
        _done.TrySetException(exception);
        // Nobody needs to wait for it: the recorder has logged it.
        _ = _done.Task.Exception;
    }
}

/// <summary>Outcomes of one run of one request on their way to the database: one batch at a time, the next one gathering meanwhile.</summary>
internal sealed class RecorderLane
{
    private readonly Queue<PendingOutcome> _waiting = [];

    public void Enqueue(PendingOutcome outcome) => _waiting.Enqueue(outcome);

    public bool IsEmpty => _waiting.Count == 0;

    /// <summary>
    /// The oldest outcomes, at most one an image: two of one image (a late one and its successor's) must not meet in one statement,
    /// which would apply either.
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
