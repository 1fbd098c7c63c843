using System.Net;
using System.Net.Sockets;

namespace Darkroom.Egress;

/// <summary>Connects to the first of a host's addresses that answers, giving each a head start over the next (RFC 8305).</summary>
internal static class HappyEyeballsConnector
{
    public static async Task<Stream> ConnectAsync(IPAddress[] addresses, int port, TimeSpan headStart, TimeProvider time, CancellationToken cancellationToken)
    {
        using var losers = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var waiting = new Queue<IPAddress>(Interleave(addresses));
        var dialling = new List<Task<Socket>>();
        Exception? lastFailure = null;
        try
        {
            while (waiting.Count > 0 || dialling.Count > 0)
            {
                if (waiting.TryDequeue(out var address))
                    dialling.Add(ConnectAsync(address, port, losers.Token));
                var settled = await FirstSettledAsync(dialling, waiting.Count > 0 ? headStart : Timeout.InfiniteTimeSpan, time, losers.Token);
                if (settled is null)
                    continue;
                dialling.Remove(settled);
                if (settled.IsCompletedSuccessfully)
                    return new NetworkStream(settled.Result, ownsSocket: true);
                lastFailure = settled.Exception?.InnerException ?? new OperationCanceledException(cancellationToken);
            }
        }
        finally
        {
            await losers.CancelAsync();
            foreach (var loser in dialling)
                _ = CloseAsync(loser);
        }

        cancellationToken.ThrowIfCancellationRequested();
        throw lastFailure ?? new SocketException((int)SocketError.HostUnreachable);
    }

    /// <summary>Alternates between address families, so that a family without a route costs only one head start.</summary>
    internal static IEnumerable<IPAddress> Interleave(IPAddress[] addresses)
    {
        var first = addresses.Where(address => address.AddressFamily == addresses[0].AddressFamily).ToArray();
        var second = addresses.Except(first).ToArray();
        for (var i = 0; i < Math.Max(first.Length, second.Length); i++)
        {
            if (i < first.Length)
                yield return first[i];
            if (i < second.Length)
                yield return second[i];
        }
    }

    private static async Task<Task<Socket>?> FirstSettledAsync(
        List<Task<Socket>> dialling, TimeSpan wait, TimeProvider time, CancellationToken cancellationToken)
    {
        if (dialling.Count == 1 && wait == Timeout.InfiniteTimeSpan)
        {
            await ((Task)dialling[0]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return dialling[0];
        }

        using var stopTimer = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var timer = Task.Delay(wait, time, stopTimer.Token);
        var settled = await Task.WhenAny([.. dialling, timer]);
        await stopTimer.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
        return settled as Task<Socket>;
    }

    private static async Task<Socket> ConnectAsync(IPAddress address, int port, CancellationToken cancellationToken)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new IPEndPoint(address, port), cancellationToken);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task CloseAsync(Task<Socket> loser)
    {
        try
        {
            (await loser).Dispose();
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // It lost the race, so its error does not matter.
        }
    }
}
