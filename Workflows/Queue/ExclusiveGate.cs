namespace Darkroom.Queue;

/// <summary>
/// Lets ordinary images in together, and suspects alone: a suspect waits until all others have left, and blocks the next ones until it
/// has left itself. Waiting suspects take precedence, or a busy worker would starve them.
/// </summary>
internal sealed class ExclusiveGate
{
    private readonly Lock _lock = new();
    private readonly Queue<TaskCompletionSource> _sharedWaiters = new();
    private readonly Queue<TaskCompletionSource> _exclusiveWaiters = new();
    private int _running;
    private bool _exclusiveRunning;

    /// <summary>Completes when the caller may run. The caller must always call <see cref="Leave"/> afterwards.</summary>
    public Task EnterAsync(bool alone)
    {
        lock (_lock)
        {
            var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            (alone ? _exclusiveWaiters : _sharedWaiters).Enqueue(waiter);
            Admit();
            return waiter.Task;
        }
    }

    public void Leave()
    {
        lock (_lock)
        {
            _running--;
            _exclusiveRunning = false;
            Admit();
        }
    }

    private void Admit()
    {
        if (_exclusiveRunning)
            return;
        if (_exclusiveWaiters.Count > 0)
        {
            if (_running > 0)
                return;
            _exclusiveRunning = true;
            _running = 1;
            _exclusiveWaiters.Dequeue().SetResult();
            return;
        }

        while (_sharedWaiters.TryDequeue(out var waiter))
        {
            _running++;
            waiter.SetResult();
        }
    }
}
