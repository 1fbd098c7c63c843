namespace Darkroom.Worker.Images;

/// <summary>
/// Lets images run side by side, and a suspect run alone: it waits until those inside have left, and keeps others out until it
/// has left itself. A suspect that waits goes first, or a busy worker would never come to it.
/// </summary>
internal sealed class ExclusiveGate
{
    private readonly Lock _lock = new();
    private readonly Queue<TaskCompletionSource> _together = new();
    private readonly Queue<TaskCompletionSource> _alone = new();
    private int _inside;
    private bool _aloneInside;

    /// <summary>Completes when the caller may run; it calls <see cref="Leave"/> afterwards, whatever happened.</summary>
    public Task EnterAsync(bool alone)
    {
        lock (_lock)
        {
            var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            (alone ? _alone : _together).Enqueue(waiter);
            Admit();
            return waiter.Task;
        }
    }

    public void Leave()
    {
        lock (_lock)
        {
            _inside--;
            _aloneInside = false;
            Admit();
        }
    }

    private void Admit()
    {
        if (_aloneInside) return;
        if (_alone.Count > 0)
        {
            if (_inside > 0) return;
            _aloneInside = true;
            _inside = 1;
            _alone.Dequeue().SetResult();
            return;
        }

        while (_together.TryDequeue(out var waiter))
        {
            _inside++;
            waiter.SetResult();
        }
    }
}
