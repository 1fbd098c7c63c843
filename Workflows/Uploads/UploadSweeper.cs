using Darkroom.Data;
using Darkroom.Leases;
using Darkroom.Requests;
using Darkroom.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Uploads;

/// <summary>
/// Cleans up abandoned uploads of dead processes and of this one: deletes their objects, then their rows, which frees their idempotency
/// keys. Also deletes expired idempotency responses.
/// </summary>
public sealed partial class UploadSweeper(
    NpgsqlDataSource database, ObjectStore objects, ProcessLease process, ActiveUploads active, TimeProvider time,
    IOptions<UploadSweeperOptions> options, IOptions<ProcessLeaseOptions> lease, ILogger<UploadSweeper> logger) : PeriodicService(time, logger)
{
    private readonly TaskCompletionSource _firstSweep = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the first sweep after startup has finished.</summary>
    internal Task FirstSweep => _firstSweep.Task;

    protected override TimeSpan Period => options.Value.Every;

    protected override async Task RunOnceAsync(CancellationToken cancellationToken)
    {
        try
        {
            await SweepAsync(cancellationToken);
            await DeleteExpiredResponsesAsync(cancellationToken);
        }
        finally
        {
            _firstSweep.TrySetResult();
        }
    }

    /// <summary>Takes over abandoned uploads and cleans them up. Returns how many.</summary>
    public async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        var abandoned = await TakeOverAsync(cancellationToken);
        foreach (var id in abandoned)
        {
            await objects.DeletePrefixAsync(ObjectKeys.Request(id), cancellationToken);
            await database.Sql("delete from uploads where id = @id and process_id = @process")
                .With("id", id.Value)
                .With("process", process.Id)
                .ExecuteNonQueryAsync(cancellationToken);
            LogSwept(id);
        }

        return abandoned.Count;
    }

    // Writing our own id fences off the process that received the upload: its accepting transaction looks for the row under that
    // process' id and finds none. Our own inactive rows match too, so a sweep that failed halfway is repeated.
    private async Task<IReadOnlyList<RequestId>> TakeOverAsync(CancellationToken cancellationToken)
    {
        var taken = new List<RequestId>();
        await using var command = database.Sql(
                $"""
                with abandoned as (
                  select id
                  from uploads u
                  where (u.process_id = @process and u.id <> all (@active) and u.created_at < now() - @lease)
                     or {ProcessLeaseSql.OwnerIsGone("u.process_id")}
                  order by u.created_at
                  limit @batch
                  for update skip locked
                )
                update uploads u
                set process_id = @process
                from abandoned
                where u.id = abandoned.id
                returning u.id
                """)
            .With("process", process.Id)
            .With("active", active.Ids)
            .WithLease(lease.Value)
            .With("batch", options.Value.Batch);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            taken.Add(new RequestId(reader.GetGuid(0)));
        return taken;
    }

    /// <summary>Deletes expired idempotency responses.</summary>
    public Task<int> DeleteExpiredResponsesAsync(CancellationToken cancellationToken) =>
        database.Sql("delete from idempotency_keys where created_at < now() - @keep")
            .With("keep", options.Value.IdempotencyRetention)
            .ExecuteNonQueryAsync(cancellationToken);

    [LoggerMessage(Level = LogLevel.Information, Message = "Cleaned up abandoned upload {Upload}")]
    private partial void LogSwept(RequestId upload);
}
