using Darkroom.Data;
using Darkroom.Leases;
using Darkroom.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Queue.Maintenance;

/// <summary>
/// Hands back images whose rows name this process although it is not running them: the response to a claim was lost, or the request has
/// ended. On graceful shutdown, hands back everything this process still owns.
/// </summary>
/// <remarks>Register it before the services that claim images, so that it stops after them.</remarks>
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
            // Other processes free them once this process' row is gone.
            LogNotReturned(e);
        }
    }

    /// <summary>Returns how many images were handed back.</summary>
    public async Task<int> ReturnLostAsync(CancellationToken cancellationToken)
    {
        var lost = (await ReadOwnAsync(cancellationToken)).Where(c => !held.IsTracked(c.Id, c.Fence)).ToList();
        if (lost.Count == 0)
            return 0;
        var handedBack = await claimer.HandBackAsync(lost, cancellationToken);
        metrics.ClaimsRecovered(ClaimKind.Image, handedBack);
        if (handedBack > 0)
            LogHandedBack(handedBack);
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
        while (await reader.ReadAsync(cancellationToken))
            own.Add((new ImageId(reader.GetInt64(0)), reader.GetInt64(1)));
        return own;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Handed back {Count} images that were assigned to this process but not running here")]
    private partial void LogHandedBack(int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Images could not be handed back at shutdown; another process will free them")]
    private partial void LogNotReturned(Exception exception);
}
