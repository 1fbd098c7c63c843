using Microsoft.Extensions.Options;

namespace Darkroom.Images;

/// <summary>
/// Bounds what is decoded at a time in this process: so many images, and so many pixels over all of them. First come, first
/// served, so that a stream of small images cannot starve a large one.
/// </summary>
public sealed class PixelBudget(IOptions<ImageOptions> options)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Waiter> _waiting = [];
    private readonly long _capacity = options.Value.PixelsInFlight;
    private readonly int _slots = options.Value.EffectiveCodecSlots;
    private long _pixels;
    private int _images;

    /// <summary>Pixels being worked on now.</summary>
    public long PixelsInFlight => Interlocked.Read(ref _pixels);

    /// <summary>Images being worked on now.</summary>
    public int ImagesInFlight => Volatile.Read(ref _images);

    /// <summary>Waits for room; disposing the lease gives it back.</summary>
    public async Task<IDisposable> EnterAsync(long pixels, CancellationToken cancellationToken)
    {
        // An image above the capacity would wait for ever: it runs alone instead.
        var waiter = new Waiter(this, Math.Min(pixels, _capacity));
        lock (_lock)
        {
            waiter.Place = _waiting.AddLast(waiter);
            Admit();
        }

        await using (cancellationToken.UnsafeRegister(static (state, token) => ((Waiter)state!).GiveUp(token), waiter))
            return await waiter.Admitted.Task;
    }

    private void Admit()
    {
        while (_waiting.First is { Value: var next } && _images < _slots && _pixels + next.Pixels <= _capacity)
        {
            _waiting.RemoveFirst();
            next.Place = null;
            _images++;
            _pixels += next.Pixels;
            next.Admitted.TrySetResult(next);
        }
    }

    private sealed class Waiter(PixelBudget budget, long pixels) : IDisposable
    {
        private bool _left;

        public long Pixels => pixels;

        public LinkedListNode<Waiter>? Place { get; set; }

        public TaskCompletionSource<IDisposable> Admitted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Once admitted it is too late: the lease is on its way to its owner.</summary>
        public void GiveUp(CancellationToken token)
        {
            lock (budget._lock)
            {
                if (Place is null) return;
                budget._waiting.Remove(Place);
                Place = null;
                budget.Admit();
            }

            Admitted.TrySetCanceled(token);
        }

        public void Dispose()
        {
            lock (budget._lock)
            {
                if (_left) return;
                _left = true;
                budget._images--;
                budget._pixels -= pixels;
                budget.Admit();
            }
        }
    }
}
