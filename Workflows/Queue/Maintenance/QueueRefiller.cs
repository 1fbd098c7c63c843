using Darkroom.Data;
using Darkroom.Leases;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Queue.Maintenance;

/// <summary>Pushes all offered images to Redis again after Redis has lost its data.</summary>
public sealed partial class QueueRefiller(
    NpgsqlDataSource database,
    ImageQueue queue,
    TimeProvider time,
    IOptions<ProcessLeaseOptions> lease,
    IOptions<QueueOptions> options,
    ILogger<QueueRefiller> logger) : PeriodicService(time, logger)
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
        var pushed = 0;
        var last = new ImageId(0);
        while (await ReadOfferedAsync(last, cancellationToken) is { Count: > 0 } offers)
        {
            await ImageFeeder.PushAsync(queue, offers);
            last = offers[^1].Image;
            pushed += offers.Count;
        }

        // If Redis was emptied again meanwhile, the mark is gone too, and the next pass starts over.
        if (await queue.SettleAsync(mark))
            LogRebuilt(pushed);
        return pushed;
    }

    private async Task<List<ImageOffer>> ReadOfferedAsync(ImageId after, CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                """
                select r.owner_id, i.request_id, i.id
                from csv_data_table r
                join images i on i.request_id = r.id
                where r.status = 'processing'
                  and r.fan_out_open
                  and i.state = 'offered'
                  and i.id > @after
                order by i.id
                limit @slice
                """)
            .With("after", after.Value)
            .With("slice", options.Value.ReconcileSlice);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await ImageFeeder.ReadOffersAsync(reader, cancellationToken);
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
