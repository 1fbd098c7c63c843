using Darkroom.Data;
using Darkroom.Leases;
using Darkroom.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Queue.Maintenance;

/// <summary>
/// Hands back images that are marked as this process' own and are not: a claim's answer was lost, or their request has ended. At a
/// graceful stop, hands back all that this process still has.
/// </summary>
/// <remarks>Register it before whatever claims, so that it stops last.</remarks>
public sealed partial class LostClaimReturner(
    NpgsqlDataSource database,
    ImageClaimer claimer,
    HeldClaims held,
    ProcessLease process,
    DarkroomMetrics metrics,
    TimeProvider time,
    IOptions<ProcessLeaseOptions> lease,
    ILogger<LostClaimReturner> logger) : PeriodicService(time, logger)
{
    protected override TimeSpan Period => lease.Value.Scan;

    protected override Task RunOnceAsync(CancellationToken cancellationToken) => ReturnLostAsync(cancellationToken);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await ReturnAllAsync(cancellationToken);
        }
        catch (Exception e)
        {
            // Others free them as soon as this process' row is gone.
            LogNotReturned(e);
        }
    }

    /// <summary>Returns how many images were handed back.</summary>
    public async Task<int> ReturnLostAsync(CancellationToken cancellationToken)
    {
        var lost = (await ReadOwnAsync(cancellationToken)).Where(c => !held.Accounts(c.Id, c.Fence)).ToList();
        if (lost.Count == 0) return 0;
        var handedBack = await claimer.HandBackAsync(lost, cancellationToken);
        metrics.ClaimsRecovered(ClaimKind.Image, handedBack);
        if (handedBack > 0) LogHandedBack(handedBack);
        return handedBack;
    }

    public async Task<int> ReturnAllAsync(CancellationToken cancellationToken) =>
        await claimer.HandBackAsync(await ReadOwnAsync(cancellationToken), cancellationToken);

    private async Task<List<(ImageId Id, long Fence)>> ReadOwnAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Sql("select id, fence from images where owner = @owner and state = 'running'")
            .With("owner", process.Id);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var own = new List<(ImageId, long)>();
        while (await reader.ReadAsync(cancellationToken)) own.Add((new ImageId(reader.GetInt64(0)), reader.GetInt64(1)));
        return own;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} images that this process does not run were still marked as its own; handed back")]
    private partial void LogHandedBack(int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Images could not be handed back at the stop; others free them")]
    private partial void LogNotReturned(Exception exception);
}
