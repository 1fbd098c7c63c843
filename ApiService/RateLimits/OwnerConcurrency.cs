using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace Darkroom.Api.RateLimits;

/// <summary>
/// Limits the calls of each owner that are worked on at once, so that a crowd of one owner's clients leaves database connections to the
/// others. Further calls wait for their turn. Callers without a key, such as browsers that open image links, count by their address.
/// </summary>
internal sealed class OwnerConcurrency(IOptions<RateLimitOptions> options) : IDisposable
{
    private readonly PartitionedRateLimiter<string> _limiter = PartitionedRateLimiter.Create<string, string>(
        owner => RateLimitPartition.GetConcurrencyLimiter(owner, _ => new ConcurrencyLimiterOptions
        {
            PermitLimit = options.Value.ConcurrentPerOwner,
            QueueLimit = options.Value.WaitingPerOwner,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        }));

    /// <summary>Waits until a call of this owner may start. The lease is not acquired if too many are waiting already.</summary>
    public ValueTask<RateLimitLease> EnterAsync(string owner, CancellationToken cancellationToken) =>
        _limiter.AcquireAsync(owner, cancellationToken: cancellationToken);

    public void Dispose() => _limiter.Dispose();
}
