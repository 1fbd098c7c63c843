using Darkroom.Data;
using Darkroom.Requests;
using Darkroom.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Retention;

/// <summary>
/// Deletes the objects that a run stored but that no row refers to, some time after it ended: results of attempts that crashed or lost
/// their claim, superseded output CSVs and unfinished uploads. Objects with unknown key formats are left alone.
/// </summary>
public sealed partial class ObjectSweeper(
    NpgsqlDataSource database, ObjectStore objects, TimeProvider time, IOptions<ObjectSweeperOptions> options, ILogger<ObjectSweeper> logger)
    : PeriodicService(time, logger)
{
    // An arbitrary constant, distinct from the other advisory locks in the database.
    private const long SweeperLock = 0x6461726b73776570;

    /// <summary>How long one deletion may hold the lock on the request's row.</summary>
    private static readonly TimeSpan DeletionTimeout = TimeSpan.FromSeconds(10);

    protected override TimeSpan Period => options.Value.Every;

    protected override Task RunOnceAsync(CancellationToken cancellationToken) => SweepAsync(cancellationToken);

    /// <summary>Sweeps due requests one by one, unless another process is already sweeping. Returns how many were swept.</summary>
    public async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        // A session-level lock: it is released if this process dies. Not cancelled, because the session returns to the pool with its locks.
        await using var lockSession = await database.OpenConnectionAsync(cancellationToken);
        if (await lockSession.Sql("select pg_try_advisory_lock(@lock)").With("lock", SweeperLock).ExecuteScalarAsync(CancellationToken.None) is not true)
            return 0;
        try
        {
            var swept = 0;
            foreach (var run in await ReadDueAsync(cancellationToken))
                if (await TrySweepAsync(run, cancellationToken))
                    swept++;
            return swept;
        }
        finally
        {
            await lockSession.Sql("select pg_advisory_unlock(@lock)").With("lock", SweeperLock).ExecuteNonQueryAsync(CancellationToken.None);
        }
    }

    private async Task<IReadOnlyList<EndedRun>> ReadDueAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                """
                select id, finished_at
                from csv_data_table
                where (swept_at is null or swept_at < finished_at)
                  and finished_at < now() - @after
                order by finished_at
                limit @batch
                """)
            .With("after", options.Value.After)
            .With("batch", options.Value.Batch);
        var due = new List<EndedRun>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            due.Add(new EndedRun(new RequestId(reader.GetGuid(0)), reader.GetFieldValue<DateTime>(1)));
        return due;
    }

    /// <summary>A request that cannot be swept must not block the others.</summary>
    private async Task<bool> TrySweepAsync(EndedRun run, CancellationToken cancellationToken)
    {
        try
        {
            return await SweepAsync(run, cancellationToken);
        }
        catch (Exception e) when (e is StorageException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            LogFailed(e, run.Request);
            return false;
        }
    }

    private async Task<bool> SweepAsync(EndedRun run, CancellationToken cancellationToken)
    {
        var prefix = ObjectKeys.Request(run.Request);
        if (await RunWhileEndedAsync(run, (_, token) => AbortUploadsAsync(prefix, token), cancellationToken) is null)
            return false;
        var deleted = 0;
        await foreach (var page in objects.ListAsync(prefix, cancellationToken).Select(found => found.Key).Chunk(ObjectStore.MaxKeysPerRequest).WithCancellation(cancellationToken))
        {
            if (await RunWhileEndedAsync(run, (connection, token) => DeleteUnreferencedAsync(connection, run.Request, page, token), cancellationToken) is not { } count)
                return false;
            deleted += count;
        }

        await RequestUpdates.MarkSweptAsync(database, run.Request, run.FinishedAt, cancellationToken);
        if (deleted > 0)
            LogSwept(run.Request, deleted);
        return true;
    }

    /// <summary>
    /// Runs the action while the request's row is locked, or returns null if the request has been retried since. A retry takes the same
    /// lock first, so objects stored by its workers cannot be mistaken for leftovers.
    /// </summary>
    private async Task<int?> RunWhileEndedAsync(
        EndedRun run, Func<NpgsqlConnection, CancellationToken, Task<int>> action, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var ended = await connection.Sql("select true from csv_data_table where id = @request and finished_at = @finished_at for no key update")
            .With("request", run.Request.Value)
            .With("finished_at", run.FinishedAt)
            .ExecuteScalarAsync(cancellationToken);
        if (ended is null)
            return null;

        using var timeout = new CancellationTokenSource(DeletionTimeout, Time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        var done = await action(connection, linked.Token);
        await transaction.CommitAsync(cancellationToken);
        return done;
    }

    private async Task<int> AbortUploadsAsync(string prefix, CancellationToken cancellationToken)
    {
        await objects.AbortUploadsAsync(prefix, cancellationToken);
        return 0;
    }

    private async Task<int> DeleteUnreferencedAsync(
        NpgsqlConnection connection, RequestId request, IReadOnlyCollection<string> keys, CancellationToken cancellationToken)
    {
        var unreferenced = await FindUnreferencedAsync(connection, request, keys, cancellationToken);
        if (unreferenced.Count > 0)
            await objects.DeleteAsync(unreferenced, cancellationToken);
        return unreferenced.Count;
    }

    private static async Task<IReadOnlyCollection<string>> FindUnreferencedAsync(
        NpgsqlConnection connection, RequestId request, IReadOnlyCollection<string> keys, CancellationToken cancellationToken)
    {
        var images = keys
            .Select(key => (Key: key, IsImage: ObjectKeys.TryReadPlace(request, key, out var place), Place: place))
            .Where(image => image.IsImage)
            .ToList();
        // An image's row and position are part of its key, so each key is an index lookup, whatever the request's size.
        await using var command = connection.Sql(
                """
                select stored.key
                from unnest(@keys, @rows, @positions) as stored (key, row, position)
                where not exists (
                  select
                  from images i
                  where i.request_id = @request
                    and i.row = stored.row
                    and i.position = stored.position
                    and (i.original_key = stored.key or i.output_key = stored.key))
                union all
                select stored.key
                from unnest(@outputs) as stored (key)
                join csv_data_table r on r.id = @request
                where stored.key is distinct from r.output_path
                """)
            .With("request", request.Value)
            .With("keys", images.Select(image => image.Key).ToArray())
            .With("rows", images.Select(image => image.Place.Row).ToArray())
            .With("positions", images.Select(image => image.Place.Position).ToArray())
            .With("outputs", keys.Where(key => ObjectKeys.IsOutput(request, key)).ToArray());
        var unreferenced = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            unreferenced.Add(reader.GetString(0));
        return unreferenced;
    }

    /// <summary>A request whose run has ended; the end time distinguishes one run from the next.</summary>
    private sealed record EndedRun(RequestId Request, DateTime FinishedAt);

    [LoggerMessage(Level = LogLevel.Information, Message = "Deleted {Count} unreferenced objects of request {Request}")]
    private partial void LogSwept(RequestId request, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The objects of request {Request} could not be swept; trying again later")]
    private partial void LogFailed(Exception exception, RequestId request);
}
