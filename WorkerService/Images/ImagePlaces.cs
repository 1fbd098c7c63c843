using Darkroom.Data;
using Darkroom.Images;
using Darkroom.Queue;

namespace Darkroom.Worker.Images;

/// <summary>
/// The images that this process may have in hand, counted by owner. One owner gets as many as keep the codecs busy. With slow hosts that is
/// nearly all places. With fast ones, images would only wait in them for a codec, and whatever others want would wait behind their downloads: the
/// limit falls by one with each image that ends while several wait, and rises by one with each that ends while none does.
/// </summary>
internal sealed class ImagePlaces
{
    // Enough for a codec to find the next image ready while others are downloaded and stored.
    private const int LeastPerSlot = 4;
    private const int WaitingPerSlot = 2;

    private readonly int _total;
    private readonly int _least;
    private readonly int _batch;
    private readonly PixelBudget _codecs;
    private readonly Lock _lock = new();
    private readonly Dictionary<OwnerId, int> _held = [];
    private TaskCompletionSource? _empty;
    private int _perOwner;
    private int _free;
    private int _freed;
    private bool _limitReached;

    /// <param name="total">How many.</param>
    /// <param name="batch">Places to become free before more images are claimed: one claim for several images saves statements.</param>
    /// <param name="codecs">What the images wait for.</param>
    public ImagePlaces(int total, int batch, PixelBudget codecs)
    {
        (_total, _batch, _codecs) = (total, batch, codecs);
        _least = Math.Min(total, LeastPerSlot * codecs.Slots);
        _perOwner = total;
        _free = total;
    }

    /// <summary>Called when enough places have become free since the last <see cref="Count"/>.</summary>
    public Action? Freed { get; init; }

    /// <summary>Who has how many places now.</summary>
    public PlaceUsage Count()
    {
        lock (_lock)
        {
            // Whatever they wait for, it is not a codec.
            if (IsLimitReached() && _codecs is { Waiting: 0, ImagesInFlight: 0 })
                _perOwner = _total;
            _freed = 0;
            _limitReached = IsLimitReached();
            return new PlaceUsage(_free, _total, [.. _held], _perOwner);
        }
    }

    public void Take(OwnerId owner)
    {
        lock (_lock)
        {
            _free--;
            _held[owner] = _held.GetValueOrDefault(owner) + 1;
            _limitReached |= _held[owner] >= _perOwner;
        }
    }

    public void Release(OwnerId owner)
    {
        bool enough;
        lock (_lock)
        {
            _free++;
            _freed++;
            if (--_held[owner] == 0)
                _held.Remove(owner);
            if (_free == _total)
                _empty?.TrySetResult();
            Adjust();
            enough = _freed >= _batch || _free == _total;
        }

        if (enough)
            Freed?.Invoke();
    }

    /// <summary>Completes when no image is in hand.</summary>
    public Task EmptyAsync()
    {
        lock (_lock)
        {
            if (_free == _total)
                return Task.CompletedTask;
            return (_empty = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    private bool IsLimitReached() => _held.Values.Any(held => held >= _perOwner);

    private void Adjust()
    {
        var waiting = _codecs.Waiting;
        if (waiting > WaitingPerSlot * _codecs.Slots && _perOwner > _least)
            _perOwner--;
        else if (waiting == 0 && _limitReached && _perOwner < _total)
            _perOwner++;
    }
}
