using System.Diagnostics.CodeAnalysis;

namespace Darkroom.Egress;

/// <summary>
/// A bulkhead per host: limits how many requests each gets at once, and how many a second. The others wait here, before their own
/// timeouts start.
/// </summary>
/// <param name="perHost">Concurrent requests to one host.</param>
/// <param name="perSecond">Requests a second to one host, evenly spaced.</param>
internal sealed class PerHostLimiter(int perHost, int perSecond, TimeProvider time)
{
    // A host is remembered until it may be asked again. Those that nobody asks any more are forgotten together.
    private const int SweepAfter = 1_000;

    private readonly TimeSpan _interval = TimeSpan.FromSeconds(1) / perSecond;
    private readonly long _origin = time.GetTimestamp();
    private readonly Dictionary<string, Host> _hosts = new(StringComparer.OrdinalIgnoreCase);
    private int _sweepAt = SweepAfter;

    /// <summary>Null if the host's turn did not come in time.</summary>
    /// <param name="name">The host.</param>
    /// <param name="isPaced">Whether requests to it are also limited by the second.</param>
    /// <param name="wait">Longest wait.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<IDisposable?> EnterAsync(string name, bool isPaced, TimeSpan wait, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        if (await EnterAsync(name, wait, cancellationToken) is not { } slot)
            return null;
        try
        {
            if (isPaced && Reserve(slot.Host, wait - time.GetElapsedTime(started)) is var delay and not { Ticks: 0 })
            {
                if (delay is not { } until)
                {
                    slot.Dispose();
                    return null;
                }

                await Task.Delay(until, time, cancellationToken);
            }

            return slot;
        }
        catch (OperationCanceledException)
        {
            slot.Dispose();
            throw;
        }
    }

    private async Task<Slot?> EnterAsync(string name, TimeSpan wait, CancellationToken cancellationToken)
    {
        var host = Join(name);
        try
        {
            if (host.Slots.Wait(0, CancellationToken.None))
                return new Slot(this, name, host);
            using var limit = new CancellationTokenSource(wait, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            await host.Slots.WaitAsync(either.Token);
            return new Slot(this, name, host);
        }
        catch (OperationCanceledException)
        {
            Leave(name, host);
            cancellationToken.ThrowIfCancellationRequested();
            return null;
        }
    }

    /// <summary>How long to wait for the host's next turn, which is then taken; null if that is too long.</summary>
    private TimeSpan? Reserve(Host host, TimeSpan longest)
    {
        lock (_hosts)
        {
            var now = Now();
            var turn = host.NextTurn > now ? host.NextTurn : now;
            if (turn - now > longest)
                return null;
            host.NextTurn = turn + _interval;
            return turn - now;
        }
    }

    private TimeSpan Now() => time.GetElapsedTime(_origin);

    /// <summary>Hosts in use, waited for, or asked a moment ago.</summary>
    internal int Count
    {
        get
        {
            lock (_hosts)
                return _hosts.Count;
        }
    }

    private Host Join(string name)
    {
        lock (_hosts)
        {
            if (!_hosts.TryGetValue(name, out var host))
            {
                if (_hosts.Count >= _sweepAt)
                    Sweep();
                _hosts[name] = host = new Host(new SemaphoreSlim(perHost));
            }

            host.Users++;
            return host;
        }
    }

    private void Leave(string name, Host host)
    {
        lock (_hosts)
        {
            if (--host.Users == 0 && host.NextTurn <= Now())
                Forget(name, host);
        }
    }

    private void Sweep()
    {
        var now = Now();
        foreach (var (name, host) in _hosts)
            if (host.Users == 0 && host.NextTurn <= now)
                Forget(name, host);
        _sweepAt = _hosts.Count + SweepAfter;
    }

    private void Forget(string name, Host host)
    {
        _hosts.Remove(name);
        host.Slots.Dispose();
    }

    [SuppressMessage("Reliability", "CA1001", Justification = "The limiter disposes the semaphore when its last user leaves.")]
    private sealed class Host(SemaphoreSlim slots)
    {
        public SemaphoreSlim Slots => slots;
        public int Users { get; set; }

        /// <summary>When the next request may be sent, since the limiter was created.</summary>
        public TimeSpan NextTurn { get; set; }
    }

    private sealed class Slot(PerHostLimiter limiter, string name, Host host) : IDisposable
    {
        private int _left;

        public Host Host => host;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 1)
                return;
            host.Slots.Release();
            limiter.Leave(name, host);
        }
    }
}
