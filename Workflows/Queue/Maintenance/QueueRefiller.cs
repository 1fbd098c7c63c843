using Darkroom.Data;
using Darkroom.Leases;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Darkroom.Queue.Maintenance;

/// <summary>Pushes all offered images to Redis again after Redis has lost its data.</summary>
public sealed partial class QueueRefiller(
    ImageQueue queue, OfferRepeater offers, TimeProvider time, IOptions<ProcessLeaseOptions> lease, ILogger<QueueRefiller> logger)
    : PeriodicService(time, logger)
{
    private static readonly TimeSpan RebuildTimeout = TimeSpan.FromSeconds(30);

    protected override TimeSpan Period => lease.Value.Scan;

    protected override Task RunOnceAsync(CancellationToken cancellationToken) => RefillAsync(cancellationToken);

    /// <summary>Returns how many offers were pushed.</summary>
    public async Task<int> RefillAsync(CancellationToken cancellationToken)
    {
        if (await queue.TryBeginRebuildAsync(RebuildTimeout) is not { } mark)
            return 0;
        await WarnOfEvictionAsync();
        var pushed = await offers.RepeatAsync(cancellationToken);
        // If Redis was emptied again meanwhile, the mark is gone too, and the next pass starts over.
        if (await queue.SettleAsync(mark))
            LogRebuilt(pushed);
        return pushed;
    }

    private async Task WarnOfEvictionAsync()
    {
        if (await queue.ReadEvictionPolicyAsync() is { } policy and not "noeviction")
            LogEvicts(policy);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Redis was empty; pushed {Count} offered images to it")]
    private partial void LogRebuilt(int count);

    [LoggerMessage(Level = LogLevel.Critical, Message = "Redis has maxmemory-policy {Policy}: it may drop queued images under memory pressure, which delays them. Set it to noeviction.")]
    private partial void LogEvicts(string policy);
}
