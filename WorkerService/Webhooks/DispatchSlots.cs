using Darkroom.Webhooks;

namespace Darkroom.Worker.Webhooks;

/// <summary>What this process is sending, and so how much more it may take: in all, to each receiver, for each owner.</summary>
internal sealed class DispatchSlots(WebhookOptions options)
{
    // Beyond this many silent receivers the oldest knowledge is not worth its memory.
    private const int MaxSilent = 10_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, ClaimedDelivery> _underWay = [];
    private readonly HashSet<string> _silent = [];
    private TaskCompletionSource? _idle;

    public DispatchCapacity Room()
    {
        lock (_lock)
        {
            var receivers = _silent.ToDictionary(receiver => receiver, _ => 1);
            foreach (var group in _underWay.Values.GroupBy(delivery => delivery.Receiver))
            {
                var allowed = receivers.GetValueOrDefault(group.Key, options.MaxConcurrentPerReceiver);
                receivers[group.Key] = Math.Max(0, allowed - group.Count());
            }

            var owners = _underWay.Values.GroupBy(delivery => delivery.Owner)
                .ToDictionary(group => group.Key, group => Math.Max(0, options.MaxConcurrentPerOwner - group.Count()));
            return new DispatchCapacity(options.MaxConcurrent - _underWay.Count, receivers, owners);
        }
    }

    public IReadOnlyCollection<string> UnderWay()
    {
        lock (_lock) return [.. _underWay.Keys];
    }

    public void Take(ClaimedDelivery delivery)
    {
        lock (_lock) _underWay[delivery.Id] = delivery;
    }

    /// <param name="answered">
    /// Whether the receiver spoke at all, null if it was not asked. One that does not is given one delivery at a time until it does.
    /// </param>
    public void Free(ClaimedDelivery delivery, bool? answered)
    {
        lock (_lock)
        {
            _underWay.Remove(delivery.Id);
            if (answered == true) _silent.Remove(delivery.Receiver);
            if (answered == false)
            {
                if (_silent.Count >= MaxSilent) _silent.Clear();
                _silent.Add(delivery.Receiver);
            }

            if (_underWay.Count == 0) _idle?.TrySetResult();
        }
    }

    /// <summary>Completes when nothing is under way. For the end: nothing is taken any more.</summary>
    public Task Idle()
    {
        lock (_lock)
        {
            _idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_underWay.Count == 0) _idle.TrySetResult();
            return _idle.Task;
        }
    }
}
