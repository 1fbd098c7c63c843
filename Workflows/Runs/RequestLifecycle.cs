using Darkroom.Data;
using Darkroom.Engine.Flow;
using Darkroom.Queue;
using Darkroom.Requests;
using Darkroom.Telemetry;
using Npgsql;

namespace Darkroom.Runs;

/// <summary>What an owner may do with an accepted request: cancel it, or retry its failed images.</summary>
/// <remarks>Both take time in proportion to the request's size. If the caller's token cancels one, nothing has changed.</remarks>
public sealed class RequestLifecycle(NpgsqlDataSource database, RunFinalizer ending, DarkroomMetrics metrics)
{
    /// <summary>
    /// Ends the run now. What workers are still processing has no effect: the instance's fence moves on, and outcomes of
    /// images count only while the request is processing.
    /// </summary>
    public async Task<LifecycleResult> CancelAsync(OwnerId owner, RequestId request, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var current = await LockAsync(connection, owner, request, cancellationToken);
        if (current is null)
            return LifecycleResult.NotFound;
        if (current.Status == RequestStatus.Cancelled)
            return LifecycleResult.Done;
        if (current.Status.IsTerminal())
            return LifecycleResult.Conflict;

        var state = (string?)await connection.Sql(
                """
                update workflow_instances
                set status = 'Finished',
                    sub_status = 'Cancelled',
                    fence = fence + 1,
                    owner = null,
                    ready_at = null,
                    finished_at = now(),
                    updated_at = now()
                where request_id = @request
                  and run = @run
                  and status = 'Running'
                returning state
                """)
            .With("request", request.Value)
            .With("run", current.Run)
            .ExecuteScalarAsync(cancellationToken);
        await using var writes = new NpgsqlBatch(connection);
        writes.Add(
                """
                delete from bookmarks b
                using workflow_instances i
                where i.id = b.instance_id
                  and i.request_id = @request
                """)
            .With("request", request.Value);
        var snapshot = state is null ? WorkflowState.New : WorkflowState.FromJson(state);
        var status = await ending.EndAsync(writes, request, current.Run, "Cancelled", snapshot, cancellationToken);
        FanOut.AnnounceWithdrawal(writes, request);
        await writes.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        metrics.RequestFinished(status.ToText());
        return LifecycleResult.Done;
    }

    /// <summary>
    /// Starts the next run for the images that failed, with the first run's definition version. Succeeded images stay, and the
    /// earlier output CSV is served until the next one exists. Only from <c>completed_with_errors</c>.
    /// </summary>
    public async Task<LifecycleResult> RetryAsync(OwnerId owner, RequestId request, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var current = await LockAsync(connection, owner, request, cancellationToken);
        if (current is null)
            return LifecycleResult.NotFound;
        if (current.Status != RequestStatus.CompletedWithErrors)
            return LifecycleResult.Conflict;

        var run = current.Run + 1;
        var revision = await RequestUpdates.BeginNextRunAsync(connection, request, run, cancellationToken);
        await WorkflowInstanceStore.InsertNextAsync(connection, request, run, cancellationToken);
        await connection.Sql(
                """
                update images
                set state = 'waiting',
                    run = @run,
                    revision = @revision,
                    not_before = null,
                    attempts = 0,
                    preemptions = 0,
                    error_code = null,
                    error_message = null,
                    journal = null,
                    finished_at = null
                where request_id = @request
                  and state = 'failed'
                """)
            .With("request", request.Value)
            .With("run", run)
            .With("revision", revision)
            .WithoutTimeout()
            .ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return LifecycleResult.Done;
    }

    private static async Task<Current?> LockAsync(
        NpgsqlConnection connection, OwnerId owner, RequestId request, CancellationToken cancellationToken)
    {
        await using var command = connection.Sql(
                """
                select status::text, run
                from csv_data_table
                where id = @request
                  and owner_id = @owner
                for no key update
                """)
            .With("request", request.Value)
            .With("owner", owner.Value)
            // Loading millions of images locks the row until it commits.
            .WithoutTimeout();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        return new Current(RequestStatuses.Parse(reader.GetString(0)), reader.GetInt32(1));
    }

    private sealed record Current(RequestStatus Status, int Run);
}

/// <summary>The result of a cancel or a retry.</summary>
public enum LifecycleResult
{
    /// <summary>Done, now or by an earlier call.</summary>
    Done,

    /// <summary>No such request, or not this owner's.</summary>
    NotFound,

    /// <summary>The request's state does not allow it.</summary>
    Conflict,
}
