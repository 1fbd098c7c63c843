using Darkroom.Data;
using Microsoft.Extensions.Options;

namespace Darkroom.Images;

/// <summary>
/// Limits the images, and the pixels of all images together, that this process decodes at the same time. The owner who has had the fewest
/// pixels lately comes next, so that a few images need not wait among a crowd's, and owners who always have some share alike; each owner's
/// images come in their order. Whoever's turn it is waits until there is room, so that a stream of small images cannot starve a large one.
/// </summary>
public sealed class PixelBudget(IOptions<ImageOptions> options)
{
    // For a slot, what it decodes in a second or two: long enough to tell an owner with a few images from a crowd, and soon forgotten.
    private const int RememberedPerSlot = 64;

    private readonly Lock _lock = new();
    private readonly Dictionary<OwnerId, LinkedList<Waiter>> _waiting = [];
    private readonly LinkedList<OwnerId> _turns = [];
    private readonly Queue<(OwnerId Owner, long Pixels)> _recent = [];
    private readonly Dictionary<OwnerId, long> _had = [];
    private readonly long _capacity = options.Value.PixelsInFlight;
    private readonly int _slots = options.Value.EffectiveCodecSlots;
    private Waiter? _next;
    private long _pixels;
    private int _images;
    private int _queued;

    /// <summary>Images that can be processed at once.</summary>
    public int Slots => _slots;

    /// <summary>Images that wait for their turn.</summary>
    public int Waiting => Volatile.Read(ref _queued);

    /// <summary>Pixels being processed now.</summary>
    public long PixelsInFlight => Interlocked.Read(ref _pixels);

    /// <summary>Images being processed now.</summary>
    public int ImagesInFlight => Volatile.Read(ref _images);

    /// <summary>Waits until it is the image's turn and it fits the budget; disposing the lease releases its share.</summary>
    public async Task<IDisposable> EnterAsync(OwnerId owner, long pixels, CancellationToken cancellationToken)
    {
        // An image larger than the whole budget would wait forever, so it runs alone instead.
        var waiter = new Waiter(this, owner, Math.Min(pixels, _capacity));
        lock (_lock)
        {
            if (!_waiting.TryGetValue(owner, out var own))
            {
                _waiting[owner] = own = [];
                _turns.AddLast(owner);
            }

            waiter.Node = own.AddLast(waiter);
            _queued++;
            Admit();
        }

        await using (cancellationToken.UnsafeRegister(static (state, token) => ((Waiter)state!).Cancel(token), waiter))
            return await waiter.Admitted.Task;
    }

    private void Admit()
    {
        while (_images < _slots && (_next ??= Next()) is { } next && _pixels + next.Pixels <= _capacity)
        {
            _turns.Remove(next.Owner);
            _turns.AddLast(next.Owner);
            Remove(next);
            Remember(next.Owner, next.Pixels);
            _images++;
            _pixels += next.Pixels;
            next.Admitted.TrySetResult(next);
        }
    }

    /// <summary>The first image of the owner who has had least; among equals, of the one whose last turn was longest ago.</summary>
    private Waiter? Next() => _turns.Count == 0 ? null : _waiting[_turns.MinBy(owner => _had.GetValueOrDefault(owner))].First!.Value;

    private void Remember(OwnerId owner, long pixels)
    {
        _had[owner] = _had.GetValueOrDefault(owner) + pixels;
        _recent.Enqueue((owner, pixels));
        if (_recent.Count <= RememberedPerSlot * _slots)
            return;
        var oldest = _recent.Dequeue();
        if ((_had[oldest.Owner] -= oldest.Pixels) == 0)
            _had.Remove(oldest.Owner);
    }

    private void Remove(Waiter waiter)
    {
        if (_next == waiter)
            _next = null;
        var own = _waiting[waiter.Owner];
        own.Remove(waiter.Node!);
        waiter.Node = null;
        _queued--;
        if (own.Count > 0)
            return;
        _waiting.Remove(waiter.Owner);
        _turns.Remove(waiter.Owner);
    }

    private sealed class Waiter(PixelBudget budget, OwnerId owner, long pixels) : IDisposable
    {
        private bool _released;

        public OwnerId Owner => owner;

        public long Pixels => pixels;

        public LinkedListNode<Waiter>? Node { get; set; }

        public TaskCompletionSource<IDisposable> Admitted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Has no effect once admitted: the lease then belongs to the caller.</summary>
        public void Cancel(CancellationToken token)
        {
            lock (budget._lock)
            {
                if (Node is null)
                    return;
                budget.Remove(this);
                budget.Admit();
            }

            Admitted.TrySetCanceled(token);
        }

        public void Dispose()
        {
            lock (budget._lock)
            {
                if (_released)
                    return;
                _released = true;
                budget._images--;
                budget._pixels -= pixels;
                budget.Admit();
            }
        }
    }
}
