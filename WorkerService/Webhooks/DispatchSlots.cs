using Darkroom.Webhooks;

namespace Darkroom.Worker.Webhooks;

/// <summary>The deliveries this process is sending, and its remaining capacity: in total, per receiver and per owner.</summary>
internal sealed class DispatchSlots(WebhookOptions options)
{
    // Beyond this many unresponsive receivers, remembering them is not worth the memory.
    private const int MaxUnresponsive = 10_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, ClaimedDelivery> _inFlight = [];
    private readonly HashSet<string> _unresponsive = [];
    private TaskCompletionSource? _idle;
    private long _freed;

    /// <summary>How many slots were freed so far.</summary>
    public long Freed => Interlocked.Read(ref _freed);

    public DispatchCapacity Room()
    {
        lock (_lock)
        {
            var receivers = _unresponsive.ToDictionary(receiver => receiver, _ => 1);
            foreach (var group in _inFlight.Values.GroupBy(delivery => delivery.Receiver))
                receivers[group.Key] = Math.Max(0, AllowedTo(group.Key) - group.Count());

            var owners = _inFlight.Values.GroupBy(delivery => delivery.Owner)
                .ToDictionary(group => group.Key, group => Math.Max(0, options.MaxConcurrentPerOwner - group.Count()));
            return new DispatchCapacity(options.MaxConcurrent - _inFlight.Count, receivers, owners);
        }
    }

    public IReadOnlyCollection<string> InFlight()
    {
        lock (_lock)
            return [.. _inFlight.Keys];
    }

    public void Take(ClaimedDelivery delivery)
    {
        lock (_lock)
            _inFlight[delivery.Id] = delivery;
    }

    /// <param name="responded">
    /// Whether the receiver responded at all; null if it was not called. An unresponsive receiver gets one delivery at a time until it
    /// responds.
    /// </param>
    /// <returns>Whether another delivery may be waiting for this slot: until now, its receiver, its owner or this process had no other free.</returns>
    public bool Free(ClaimedDelivery delivery, bool? responded)
    {
        lock (_lock)
        {
            var isAwaited = _inFlight.Count >= options.MaxConcurrent
                || _inFlight.Values.Count(other => other.Owner == delivery.Owner) >= options.MaxConcurrentPerOwner
                || _inFlight.Values.Count(other => other.Receiver == delivery.Receiver) >= AllowedTo(delivery.Receiver);
            _inFlight.Remove(delivery.Id);
            _freed++;
            if (responded == true)
                _unresponsive.Remove(delivery.Receiver);
            if (responded == false)
            {
                if (_unresponsive.Count >= MaxUnresponsive)
                    _unresponsive.Clear();
                _unresponsive.Add(delivery.Receiver);
            }

            if (_inFlight.Count == 0)
                _idle?.TrySetResult();
            return isAwaited;
        }
    }

    /// <summary>Completes when nothing is being sent. For shutdown, when no more deliveries are claimed.</summary>
    public Task Idle()
    {
        lock (_lock)
        {
            _idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_inFlight.Count == 0)
                _idle.TrySetResult();
            return _idle.Task;
        }
    }

    private int AllowedTo(string receiver) => _unresponsive.Contains(receiver) ? 1 : options.MaxConcurrentPerReceiver;
}
