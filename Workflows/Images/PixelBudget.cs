using Microsoft.Extensions.Options;

namespace Darkroom.Images;

/// <summary>
/// Limits the images, and the pixels of all images together, that this process decodes at the same time. First come, first served,
/// so that a stream of small images cannot starve a large one.
/// </summary>
public sealed class PixelBudget(IOptions<ImageOptions> options)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Waiter> _waiting = [];
    private readonly long _capacity = options.Value.PixelsInFlight;
    private readonly int _slots = options.Value.EffectiveCodecSlots;
    private long _pixels;
    private int _images;

    /// <summary>Pixels being processed now.</summary>
    public long PixelsInFlight => Interlocked.Read(ref _pixels);

    /// <summary>Images being processed now.</summary>
    public int ImagesInFlight => Volatile.Read(ref _images);

    /// <summary>Waits until the image fits the budget; disposing the lease releases its share.</summary>
    public async Task<IDisposable> EnterAsync(long pixels, CancellationToken cancellationToken)
    {
        // An image larger than the whole budget would wait forever, so it runs alone instead.
        var waiter = new Waiter(this, Math.Min(pixels, _capacity));
        lock (_lock)
        {
            waiter.Node = _waiting.AddLast(waiter);
            Admit();
        }

        await using (cancellationToken.UnsafeRegister(static (state, token) => ((Waiter)state!).Cancel(token), waiter))
            return await waiter.Admitted.Task;
    }

    private void Admit()
    {
        while (_waiting.First is { Value: var next } && _images < _slots && _pixels + next.Pixels <= _capacity)
        {
            _waiting.RemoveFirst();
            next.Node = null;
            _images++;
            _pixels += next.Pixels;
            next.Admitted.TrySetResult(next);
        }
    }

    private sealed class Waiter(PixelBudget budget, long pixels) : IDisposable
    {
        private bool _released;

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
                budget._waiting.Remove(Node);
                Node = null;
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
