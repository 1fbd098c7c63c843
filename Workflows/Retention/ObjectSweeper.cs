using Darkroom.Data;
using Darkroom.Requests;
using Darkroom.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Darkroom.Retention;

/// <summary>
/// Deletes, some time after a run has ended, what it stored and nobody recorded: results of attempts whose process died or whose
/// claim had passed on, superseded output CSVs, unfinished uploads. What it does not recognise as ours it leaves alone.
/// </summary>
public sealed partial class ObjectSweeper(
    NpgsqlDataSource database, ObjectStore objects, TimeProvider time, IOptions<ObjectSweeperOptions> options, ILogger<ObjectSweeper> logger)
    : PeriodicService(time, logger)
{
    // Any constant does; it only has to differ from other advisory locks in the same database.
    private const long SweeperLock = 0x6461726b73776570;

    /// <summary>How long one deletion may keep the request's row locked.</summary>
    private static readonly TimeSpan DeletionTimeout = TimeSpan.FromSeconds(10);

    protected override TimeSpan Period => options.Value.Every;

    protected override Task RunOnceAsync(CancellationToken cancellationToken) => SweepAsync(cancellationToken);

    /// <summary>Sweeps requests that are due, one after the other, unless another process is at it. Returns how many were swept.</summary>
    public async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        // The lock is the session's: it is free again when this process dies.
        await using var turn = await database.OpenConnectionAsync(cancellationToken);
        if (await turn.Sql("select pg_try_advisory_lock(@lock)").With("lock", SweeperLock).ExecuteScalarAsync(cancellationToken) is not true) return 0;
        try
        {
            var swept = 0;
            foreach (var run in await ReadDueAsync(cancellationToken))
                if (await TrySweepAsync(run, cancellationToken)) swept++;
            return swept;
        }
        finally
        {
            await turn.Sql("select pg_advisory_unlock(@lock)").With("lock", SweeperLock).ExecuteNonQueryAsync(CancellationToken.None);
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
        while (await reader.ReadAsync(cancellationToken)) due.Add(new EndedRun(new RequestId(reader.GetGuid(0)), reader.GetFieldValue<DateTime>(1)));
        return due;
    }

    /// <summary>A request that cannot be swept now must not keep the others waiting.</summary>
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
        if (await WhileEndedAsync(run, (_, token) => AbortUploadsAsync(prefix, token), cancellationToken) is null) return false;
        var deleted = 0;
        await foreach (var page in objects.ListAsync(prefix, cancellationToken).Select(found => found.Key).Chunk(ObjectStore.MaxKeysPerRequest).WithCancellation(cancellationToken))
        {
            if (await WhileEndedAsync(run, (connection, token) => DeleteUnnamedAsync(connection, run.Request, page, token), cancellationToken) is not { } gone)
                return false;
            deleted += gone;
        }

        await RequestUpdates.MarkSweptAsync(database, run.Request, run.FinishedAt, cancellationToken);
        if (deleted > 0) LogSwept(run.Request, deleted);
        return true;
    }

    /// <summary>
    /// Acts under the lock of the request's row, or not at all (null) if the run is no longer the last word: a retry begins by the
    /// same lock, so nothing that its workers store and record can be taken for a leftover.
    /// </summary>
    private async Task<int?> WhileEndedAsync(
        EndedRun run, Func<NpgsqlConnection, CancellationToken, Task<int>> act, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var ended = await connection.Sql("select true from csv_data_table where id = @request and finished_at = @finished_at for no key update")
            .With("request", run.Request.Value)
            .With("finished_at", run.FinishedAt)
            .ExecuteScalarAsync(cancellationToken);
        if (ended is null) return null;

        using var timeout = new CancellationTokenSource(DeletionTimeout, Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        var done = await act(connection, either.Token);
        await transaction.CommitAsync(cancellationToken);
        return done;
    }

    private async Task<int> AbortUploadsAsync(string prefix, CancellationToken cancellationToken)
    {
        await objects.AbortUploadsAsync(prefix, cancellationToken);
        return 0;
    }

    private async Task<int> DeleteUnnamedAsync(
        NpgsqlConnection connection, RequestId request, IReadOnlyCollection<string> keys, CancellationToken cancellationToken)
    {
        var unnamed = await FindUnnamedAsync(connection, request, keys, cancellationToken);
        if (unnamed.Count > 0) await objects.DeleteAsync(unnamed, cancellationToken);
        return unnamed.Count;
    }

    private static async Task<IReadOnlyCollection<string>> FindUnnamedAsync(
        NpgsqlConnection connection, RequestId request, IReadOnlyCollection<string> keys, CancellationToken cancellationToken)
    {
        var images = keys
            .Select(key => (Key: key, IsImage: ObjectKeys.TryReadPlace(request, key, out var place), Place: place))
            .Where(image => image.IsImage)
            .ToList();
        // A key tells its image's place, so each is looked up by an index, whatever the request's size.
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
        var unnamed = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken)) unnamed.Add(reader.GetString(0));
        return unnamed;
    }

    /// <summary>A request at the end of a run; the time of the end tells one run from the next.</summary>
    private sealed record EndedRun(RequestId Request, DateTime FinishedAt);

    [LoggerMessage(Level = LogLevel.Information, Message = "Deleted {Count} objects of request {Request} that nothing refers to")]
    private partial void LogSwept(RequestId request, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The objects of request {Request} could not be swept; trying again later")]
    private partial void LogFailed(Exception exception, RequestId request);
}
