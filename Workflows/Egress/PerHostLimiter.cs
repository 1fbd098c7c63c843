using System.Diagnostics.CodeAnalysis;

namespace Darkroom.Egress;

/// <summary>A bulkhead per host: so many requests at a time, the others wait here, before their own clocks start.</summary>
internal sealed class PerHostLimiter(int perHost)
{
    private readonly Dictionary<string, Host> _hosts = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Null if no place came free in time.</summary>
    public async Task<IDisposable?> EnterAsync(string name, TimeSpan wait, TimeProvider time, CancellationToken cancellationToken)
    {
        var host = Join(name);
        try
        {
            if (host.Places.Wait(0, CancellationToken.None)) return new Place(this, name, host);
            using var limit = new CancellationTokenSource(wait, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            await host.Places.WaitAsync(either.Token);
            return new Place(this, name, host);
        }
        catch (OperationCanceledException)
        {
            Leave(name, host);
            cancellationToken.ThrowIfCancellationRequested();
            return null;
        }
    }

    /// <summary>Hosts that somebody uses or waits for.</summary>
    internal int Count
    {
        get
        {
            lock (_hosts) return _hosts.Count;
        }
    }

    private Host Join(string name)
    {
        lock (_hosts)
        {
            if (!_hosts.TryGetValue(name, out var host)) _hosts[name] = host = new Host(new SemaphoreSlim(perHost));
            host.Visitors++;
            return host;
        }
    }

    private void Leave(string name, Host host)
    {
        lock (_hosts)
        {
            if (--host.Visitors > 0) return;
            _hosts.Remove(name);
            host.Places.Dispose();
        }
    }

    [SuppressMessage("Reliability", "CA1001", Justification = "Its gate disposes the semaphore with the last visitor.")]
    private sealed class Host(SemaphoreSlim places)
    {
        public SemaphoreSlim Places => places;
        public int Visitors { get; set; }
    }

    private sealed class Place(PerHostLimiter gate, string name, Host host) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 1) return;
            host.Places.Release();
            gate.Leave(name, host);
        }
    }
}
