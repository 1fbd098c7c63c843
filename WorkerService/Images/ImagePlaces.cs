using Darkroom.Data;
using Darkroom.Queue;

namespace Darkroom.Worker.Images;

/// <summary>The images that this process may have in hand, counted by owner.</summary>
internal sealed class ImagePlaces
{
    private readonly int _total;
    private readonly int _batch;
    private readonly Lock _lock = new();
    private readonly Dictionary<OwnerId, int> _held = [];
    private TaskCompletionSource? _empty;
    private int _free;
    private int _freed;

    /// <param name="total">How many.</param>
    /// <param name="batch">Places to become free before more images are claimed: one claim for several images saves statements.</param>
    public ImagePlaces(int total, int batch)
    {
        (_total, _batch) = (total, batch);
        _free = total;
    }

    /// <summary>Called when enough places have become free since the last <see cref="Count"/>.</summary>
    public Action? Freed { get; init; }

    /// <summary>Who has how many places now.</summary>
    public PlaceUsage Count()
    {
        lock (_lock)
        {
            _freed = 0;
            return new PlaceUsage(_free, _total, [.. _held]);
        }
    }

    public void Take(OwnerId owner)
    {
        lock (_lock)
        {
            _free--;
            _held[owner] = _held.GetValueOrDefault(owner) + 1;
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
}
