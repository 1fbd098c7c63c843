using System.Diagnostics.CodeAnalysis;
using Darkroom.Data;

namespace Darkroom.Images;

/// <summary>
/// The download slots of this process, shared between owners. An owner may always take its equal share, and may borrow free slots, but
/// never the last quarter. While somebody waits for a share, downloads of owners who have more than theirs give way: those that have not
/// begun first, then the slowest, below a minimum rate that doubles every second.
/// </summary>
public sealed class DownloadSlots : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly ImageWorkOptions _options;
    private readonly double _minRate;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _slow;
    private readonly Lock _lock = new();
    private readonly HashSet<Download> _downloads = [];
    private readonly Dictionary<OwnerId, int> _held = [];
    private readonly LinkedList<Waiter> _waiting = new();
    private ITimer? _shortage;
    private double _requiredRate;
    private long? _placesShortSince;
    private int _free;

    /// <param name="options">How many slots there are, and who gives way.</param>
    /// <param name="minRate">Bytes per second that every download must reach anyway.</param>
    /// <param name="time">The clock for rates.</param>
    internal DownloadSlots(ImageWorkOptions options, double minRate, TimeProvider time)
    {
        (_options, _minRate, _time) = (options, Math.Max(1, minRate), time);
        _slow = new SemaphoreSlim(options.SlowDownloads, options.SlowDownloads);
        _free = options.Downloads;
    }

    /// <summary>Announces a download, which then enters a slot for each of its requests. Dispose it at its end.</summary>
    /// <param name="owner">For whom.</param>
    /// <param name="inSlowLane">Whether it gave way so often that it now uses the slow lane, where running downloads no longer give way.</param>
    public Download Begin(OwnerId owner, bool inSlowLane)
    {
        var download = new Download(this, owner, inSlowLane, _time);
        lock (_lock)
            _downloads.Add(download);
        return download;
    }

    /// <summary>Tells that images of other owners wait for a place in this process, which downloads may occupy. Called about once a second.</summary>
    /// <param name="needed">How many places they may expect; 0 ends the shortage.</param>
    /// <param name="spare">How many places each owner has beyond its share.</param>
    public void MakeRoom(int needed, IReadOnlyDictionary<OwnerId, int> spare)
    {
        lock (_lock)
        {
            if (needed == 0)
            {
                _placesShortSince = null;
                return;
            }

            _placesShortSince ??= _time.GetTimestamp();
            var seconds = _time.GetElapsedTime(_placesShortSince.Value).TotalSeconds;
            var rate = Math.Min(_minRate * Math.Pow(2, Math.Min(seconds, 60)), _options.PreemptBelow);
            Preempt(_downloads.Where(download => !download.IsRunning || MustGiveWay(download, rate)), needed, spare);
        }
    }

    public void Dispose()
    {
        lock (_lock)
            EndShortage();
        _slow.Dispose();
    }

    internal async Task<IDisposable> EnterAsync(Download download, CancellationToken cancellationToken)
    {
        var waiter = new Waiter(download);
        lock (_lock)
        {
            _waiting.AddLast(waiter);
            Admit();
        }

        await using var registration = cancellationToken.UnsafeRegister(static (state, token) =>
        {
            var (slots, waiter) = ((DownloadSlots, Waiter))state!;
            slots.Abandon(waiter, token);
        }, (this, waiter));
        return await waiter.Slot.Task;
    }

    /// <summary>Null if no slot became free in time.</summary>
    internal async Task<IDisposable?> EnterSlowLaneAsync(Download download, TimeSpan wait, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(wait, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await _slow.WaitAsync(either.Token);
            download.Start();
            return new Slot(() =>
            {
                download.Stop();
                _slow.Release();
            });
        }
        catch (OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return null;
        }
    }

    internal void End(Download download)
    {
        lock (_lock)
            _downloads.Remove(download);
    }

    private void Abandon(Waiter waiter, CancellationToken token)
    {
        lock (_lock)
        {
            if (_waiting.Remove(waiter))
                waiter.Slot.TrySetCanceled(token);
            Admit();
        }
    }

    private void Release(Download download)
    {
        lock (_lock)
        {
            download.Stop();
            _free++;
            if (--_held[download.Owner] == 0)
                _held.Remove(download.Owner);
            Admit();
        }
    }

    private void Admit()
    {
        while (Next() is { } waiter)
        {
            var download = waiter.Download;
            _waiting.Remove(waiter);
            _free--;
            _held[download.Owner] = HeldBy(download.Owner) + 1;
            download.Start();
            waiter.Slot.SetResult(new Slot(() => Release(download)));
        }

        if (Entitled().Any())
            _shortage ??= _time.CreateTimer(_ => Preempt(), null, Interval, Interval);
        else
            EndShortage();
    }

    /// <summary>The waiter that gets the next slot: one of the owner with the fewest.</summary>
    private Waiter? Next() =>
        _free == 0 ? null
        : _free > _options.Downloads / 4 ? _waiting.MinBy(waiter => HeldBy(waiter.Download.Owner))
        : Entitled().MinBy(waiter => HeldBy(waiter.Download.Owner));

    /// <summary>The waiters whose owners have less than their share.</summary>
    private IEnumerable<Waiter> Entitled()
    {
        var share = Share();
        return _waiting.Where(waiter => HeldBy(waiter.Download.Owner) < share);
    }

    // There may always be another owner.
    private int Share() =>
        Math.Max(1, _options.Downloads / Math.Max(2, _held.Keys.Union(_waiting.Select(waiter => waiter.Download.Owner)).Count()));

    private int HeldBy(OwnerId owner) => _held.GetValueOrDefault(owner);

    private void EndShortage()
    {
        _shortage?.Dispose();
        _shortage = null;
        _requiredRate = _minRate;
    }

    private void Preempt()
    {
        lock (_lock)
        {
            _requiredRate = Math.Min(_requiredRate * 2, _options.PreemptBelow);
            var share = Share();
            Preempt(
                _downloads.Where(download => MustGiveWay(download, _requiredRate)), Entitled().Count(),
                _held.ToDictionary(owner => owner.Key, owner => owner.Value - share));
        }
    }

    private bool MustGiveWay(Download download, double requiredRate) =>
        download is { IsRunning: true, InSlowLane: false } && download.Elapsed >= _options.PreemptAfter && download.Rate < requiredRate;

    private static void Preempt(IEnumerable<Download> candidates, int needed, IReadOnlyDictionary<OwnerId, int> spare)
    {
        var left = new Dictionary<OwnerId, int>(spare);
        foreach (var download in candidates.OrderBy(download => download.IsRunning).ThenBy(download => download.Rate))
        {
            if (needed == 0)
                return;
            if (left.GetValueOrDefault(download.Owner) <= 0 || download.Preempted.IsCancellationRequested)
                continue;
            left[download.Owner]--;
            needed--;
            download.Preempt();
        }
    }

    private sealed class Waiter(Download download)
    {
        public Download Download => download;

        public TaskCompletionSource<IDisposable> Slot { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Slot(Action release) : IDisposable
    {
        private int _released;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _released, 1) == 0)
                release();
        }
    }
}

/// <summary>One download, including its redirects and its waiting.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "The source has no timer, so it holds nothing to dispose.")]
public sealed class Download : IDisposable
{
    private readonly DownloadSlots _slots;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _preempted = new();
    private long _started;
    private long _bytes;

    internal Download(DownloadSlots slots, OwnerId owner, bool inSlowLane, TimeProvider time) =>
        (_slots, Owner, InSlowLane, _time) = (slots, owner, inSlowLane, time);

    /// <summary>Cancelled when the download must give way to others.</summary>
    public CancellationToken Preempted => _preempted.Token;

    /// <summary>Whether it holds a slot.</summary>
    public bool IsRunning { get; private set; }

    internal OwnerId Owner { get; }

    internal bool InSlowLane { get; }

    internal TimeSpan Elapsed => _time.GetElapsedTime(_started);

    /// <summary>Bytes per second since it entered its slot.</summary>
    internal double Rate => IsRunning ? Volatile.Read(ref _bytes) / Math.Max(0.001, Elapsed.TotalSeconds) : 0;

    /// <summary>Waits for a slot; disposing the result leaves it. Null if the slow lane had none in time.</summary>
    public async Task<IDisposable?> EnterAsync(TimeSpan wait, CancellationToken cancellationToken) => InSlowLane
        ? await _slots.EnterSlowLaneAsync(this, wait, cancellationToken)
        : await _slots.EnterAsync(this, cancellationToken);

    /// <summary>Reports progress.</summary>
    /// <param name="bytes">Bytes of the present response so far.</param>
    public void Received(long bytes) => Volatile.Write(ref _bytes, bytes);

    public void Dispose() => _slots.End(this);

    internal void Start()
    {
        _started = _time.GetTimestamp();
        Received(0);
        IsRunning = true;
    }

    internal void Stop() => IsRunning = false;

    // Not on the caller's thread: cancelling runs the download's continuations.
    internal void Preempt() => _ = _preempted.CancelAsync();
}
