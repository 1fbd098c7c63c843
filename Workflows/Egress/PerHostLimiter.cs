using Darkroom.Data;

namespace Darkroom.Egress;

/// <summary>
/// A bulkhead per host: limits how many requests each gets at once, and how many a second. The others wait here, before their own
/// timeouts start. Owners take turns: many shops' images come from the same few hosts, and a crowd of one owner's must not hold up
/// another's.
/// </summary>
/// <param name="perHost">Concurrent requests to one host.</param>
/// <param name="perSecond">Requests a second to one host, evenly spaced.</param>
/// <param name="time">The clock.</param>
internal sealed class PerHostLimiter(int perHost, int perSecond, TimeProvider time)
{
    // A host is remembered until it may be asked again. Those that nobody asks any more are forgotten together.
    private const int SweepAfter = 1_000;

    private readonly Lock _lock = new();
    private readonly TimeSpan _interval = TimeSpan.FromSeconds(1) / perSecond;
    private readonly long _origin = time.GetTimestamp();
    private readonly Dictionary<string, Host> _hosts = new(StringComparer.OrdinalIgnoreCase);
    private int _sweepAt = SweepAfter;

    /// <summary>Hosts in use, waited for, or asked a moment ago.</summary>
    internal int Count
    {
        get
        {
            lock (_lock)
                return _hosts.Count;
        }
    }

    /// <summary>Null if the turn did not come in time.</summary>
    /// <param name="name">The host.</param>
    /// <param name="owner">For whom.</param>
    /// <param name="isPaced">Whether requests to it are also limited by the second.</param>
    /// <param name="wait">Longest wait.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<IDisposable?> EnterAsync(string name, OwnerId owner, bool isPaced, TimeSpan wait, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        if (await EnterAsync(Join(name, owner), wait, cancellationToken) is not { } place)
            return null;
        try
        {
            if (isPaced)
            {
                if (Reserve(place.Host, wait - time.GetElapsedTime(started)) is not { } delay)
                {
                    place.Dispose();
                    return null;
                }

                if (delay > TimeSpan.Zero)
                    await Task.Delay(delay, time, cancellationToken);
            }

            return place;
        }
        catch (OperationCanceledException)
        {
            place.Dispose();
            throw;
        }
    }

    private async Task<Place?> EnterAsync(Place place, TimeSpan wait, CancellationToken cancellationToken)
    {
        if (place.Entered.IsCompleted)
            return place;
        try
        {
            await place.Entered.WaitAsync(wait, time, cancellationToken);
            return place;
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            place.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            return null;
        }
    }

    private Place Join(string name, OwnerId owner)
    {
        lock (_lock)
        {
            if (!_hosts.TryGetValue(name, out var host))
            {
                if (_hosts.Count >= _sweepAt)
                    Sweep();
                _hosts[name] = host = new Host(name, perHost);
            }

            var place = new Place(this, host, owner);
            host.Join(place);
            return place;
        }
    }

    private void Leave(Place place)
    {
        lock (_lock)
        {
            place.Host.Leave(place);
            if (place.Host.IsIdle && place.Host.NextTurn <= Now())
                _hosts.Remove(place.Host.Name);
        }
    }

    /// <summary>How long to wait for the host's next turn, which is then taken; null if that is too long.</summary>
    private TimeSpan? Reserve(Host host, TimeSpan longest)
    {
        lock (_lock)
        {
            var now = Now();
            var turn = host.NextTurn > now ? host.NextTurn : now;
            if (turn - now > longest)
                return null;
            host.NextTurn = turn + _interval;
            return turn - now;
        }
    }

    private void Sweep()
    {
        var now = Now();
        foreach (var (name, host) in _hosts)
            if (host.IsIdle && host.NextTurn <= now)
                _hosts.Remove(name);
        _sweepAt = _hosts.Count + SweepAfter;
    }

    private TimeSpan Now() => time.GetElapsedTime(_origin);

    /// <summary>One host's places, and who waits for them.</summary>
    private sealed class Host(string name, int free)
    {
        // Those whose turn was longest ago come first.
        private readonly List<OwnerQueue> _owners = [];
        private int _free = free;

        public string Name => name;

        /// <summary>When the next request may be sent, since the limiter was created.</summary>
        public TimeSpan NextTurn { get; set; }

        public bool IsIdle => _owners.Count == 0;

        public void Join(Place place)
        {
            var own = _owners.Find(own => own.Owner == place.Owner);
            if (own is null)
                _owners.Add(own = new OwnerQueue(place.Owner));
            own.Waiting.AddLast(place);
            Admit();
        }

        public void Leave(Place place)
        {
            var own = _owners.Find(own => own.Owner == place.Owner)!;
            if (!own.Waiting.Remove(place))
            {
                own.Held--;
                _free++;
            }

            if (own is { Held: 0, Waiting.Count: 0 })
                _owners.Remove(own);
            Admit();
        }

        /// <summary>Whoever holds the fewest places comes next; among equals, whoever's turn was longest ago.</summary>
        private void Admit()
        {
            while (_free > 0 && _owners.Where(own => own.Waiting.Count > 0).MinBy(own => own.Held) is { } next)
            {
                _owners.Remove(next);
                _owners.Add(next);
                var place = next.Waiting.First!.Value;
                next.Waiting.RemoveFirst();
                next.Held++;
                _free--;
                place.Enter();
            }
        }
    }

    private sealed class OwnerQueue(OwnerId owner)
    {
        public OwnerId Owner => owner;

        public LinkedList<Place> Waiting { get; } = [];

        public int Held { get; set; }
    }

    /// <summary>A place at a host, or the wait for one; disposing it ends either.</summary>
    private sealed class Place(PerHostLimiter limiter, Host host, OwnerId owner) : IDisposable
    {
        private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _left;

        public Host Host => host;

        public OwnerId Owner => owner;

        public Task Entered => _entered.Task;

        public void Enter() => _entered.SetResult();

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
                limiter.Leave(this);
        }
    }
}
