using System.Diagnostics.CodeAnalysis;

namespace Darkroom.Egress;

/// <summary>A bulkhead per host: limits concurrent requests to each. The others wait here, before their own timeouts start.</summary>
internal sealed class PerHostLimiter(int perHost)
{
    private readonly Dictionary<string, Host> _hosts = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Null if no slot became free in time.</summary>
    public async Task<IDisposable?> EnterAsync(string name, TimeSpan wait, TimeProvider time, CancellationToken cancellationToken)
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

    /// <summary>Hosts in use or waited for.</summary>
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
                _hosts[name] = host = new Host(new SemaphoreSlim(perHost));
            host.Users++;
            return host;
        }
    }

    private void Leave(string name, Host host)
    {
        lock (_hosts)
        {
            if (--host.Users > 0)
                return;
            _hosts.Remove(name);
            host.Slots.Dispose();
        }
    }

    [SuppressMessage("Reliability", "CA1001", Justification = "The limiter disposes the semaphore when its last user leaves.")]
    private sealed class Host(SemaphoreSlim slots)
    {
        public SemaphoreSlim Slots => slots;
        public int Users { get; set; }
    }

    private sealed class Slot(PerHostLimiter limiter, string name, Host host) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 1)
                return;
            host.Slots.Release();
            limiter.Leave(name, host);
        }
    }
}
