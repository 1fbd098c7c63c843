using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace Darkroom.Api.RateLimits;

/// <summary>
/// Limits the calls of each owner that are worked on at once, so that a crowd of one owner's clients leaves database connections and cores to the
/// others. Further calls wait for their turn; those that only ask do not wait for those that send or fetch files. Callers without a key, such as
/// browsers that open image links, count by their address.
/// </summary>
internal sealed class OwnerConcurrency(IOptions<RateLimitOptions> options) : IDisposable
{
    private readonly PartitionedRateLimiter<Line> _limiter = PartitionedRateLimiter.Create<Line, Line>(
        line => RateLimitPartition.GetConcurrencyLimiter(line, _ => new ConcurrencyLimiterOptions
        {
            PermitLimit = options.Value.ConcurrentPerOwner,
            QueueLimit = options.Value.WaitingPerOwner,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        }));

    /// <summary>Waits until a call of this owner may start. Null if too many are waiting already.</summary>
    /// <param name="owner">The owner or address.</param>
    /// <param name="forFile">Whether the call sends or fetches a file.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<OwnerTurn?> EnterAsync(string owner, bool forFile, CancellationToken cancellationToken)
    {
        var lease = await _limiter.AcquireAsync(new Line(owner, forFile), cancellationToken: cancellationToken);
        return lease.IsAcquired ? new OwnerTurn(lease) : null;
    }

    public void Dispose() => _limiter.Dispose();

    private readonly record struct Line(string Owner, bool ForFile);
}

/// <summary>A call's turn among those of its owner; disposing it lets the next one start.</summary>
internal sealed class OwnerTurn(RateLimitLease lease) : IDisposable
{
    private int _ended;

    /// <summary>May be called repeatedly, and from any thread.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _ended, 1) == 0)
            lease.Dispose();
    }
}
