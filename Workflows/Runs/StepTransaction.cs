using System.Text.Json;
using Darkroom.Data;
using Darkroom.Engine;
using Darkroom.Engine.Definitions;
using Darkroom.Engine.Flow;
using Darkroom.Requests;
using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Runs;

/// <summary>
/// The single transaction of a step. It first locks the request, then the instance, and checks the claim's fence, so that
/// everything written through it is written by the instance's only owner or not at all.
/// </summary>
internal sealed class StepTransaction : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;
    private readonly WorkflowInstance _instance;

    private StepTransaction(NpgsqlConnection connection, NpgsqlTransaction transaction, WorkflowInstance instance)
    {
        _connection = connection;
        _transaction = transaction;
        _instance = instance;
    }

    public NpgsqlConnection Connection => _connection;

    /// <exception cref="InstanceLostException">The fence no longer holds.</exception>
    public static async Task<StepTransaction> BeginAsync(NpgsqlDataSource database, WorkflowInstance instance, CancellationToken cancellationToken)
    {
        var connection = await database.OpenConnectionAsync(cancellationToken);
        try
        {
            var transaction = await connection.BeginTransactionAsync(cancellationToken);
            if (!await TryLockAsync(connection, instance, cancellationToken))
                throw new InstanceLostException(instance.Id);
            return new StepTransaction(connection, transaction, instance);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Locks both rows in one round trip; false if the fence no longer holds.</summary>
    private static async Task<bool> TryLockAsync(NpgsqlConnection connection, WorkflowInstance instance, CancellationToken cancellationToken)
    {
        await using var locks = new NpgsqlBatch(connection);
        locks.Add("select from csv_data_table where id = @request for no key update")
            .With("request", instance.RequestId.Value);
        locks.Add(
                """
                select
                from workflow_instances
                where id = @id
                  and fence = @fence
                  and status = 'Running'
                for no key update
                """)
            .With("id", instance.Id)
            .With("fence", instance.Fence);
        await using var reader = await locks.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken);
    }

    /// <summary>Marks the request as processing; does nothing after the first time.</summary>
    public Task MarkProcessingAsync(CancellationToken cancellationToken) =>
        RequestUpdates.BeginProcessingAsync(_connection, _instance.RequestId, cancellationToken);

    public async Task InsertBookmarkAsync(
        Guid id, ActivityNode activity, ActivityResult.Suspended suspended, CancellationToken cancellationToken) =>
        await _connection.Sql(
                """
                insert into bookmarks (id, instance_id, activity_id, name, payload, due_at)
                values (@id, @instance, @activity, @name, @payload, now() + @resume_after)
                """)
            .With("id", id)
            .With("instance", _instance.Id)
            .With("activity", activity.Id)
            .With("name", activity.Type)
            .With("payload", NpgsqlDbType.Jsonb, suspended.Payload)
            .With("resume_after", NpgsqlDbType.Interval, suspended.ResumeAfter)
            .ExecuteNonQueryAsync(cancellationToken);

    public async Task BurnBookmarkAsync(Guid id, CancellationToken cancellationToken) =>
        await _connection.Sql("delete from bookmarks where id = @id and instance_id = @instance")
            .With("id", id)
            .With("instance", _instance.Id)
            .ExecuteNonQueryAsync(cancellationToken);

    /// <summary>
    /// Writes an execution into the journal, saves the snapshot and keeps the claim, in one round trip. A suspended execution is written twice
    /// under the same id: as running, then as it ended.
    /// </summary>
    public async Task SaveAsync(ActivityExecution execution, WorkflowState state, CancellationToken cancellationToken)
    {
        await using var writes = new NpgsqlBatch(_connection);
        Record(writes, execution);
        Update(writes, "state = @state", state);
        await writes.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Writes an execution into the journal.</summary>
    public async Task RecordAsync(ActivityExecution execution, CancellationToken cancellationToken)
    {
        await using var writes = new NpgsqlBatch(_connection);
        Record(writes, execution);
        await writes.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Saves the snapshot and keeps the claim.</summary>
    public async Task SaveAsync(WorkflowState state, CancellationToken cancellationToken) =>
        await UpdateAsync("state = @state", state, cancellationToken);

    /// <summary>Saves the snapshot and releases the claim; the instance can be claimed again after <paramref name="delay"/>.</summary>
    public async Task PostponeAsync(WorkflowState state, TimeSpan delay, CancellationToken cancellationToken) =>
        await UpdateAsync("state = @state, owner = null, ready_at = now() + @delay", state, cancellationToken, ("delay", delay));

    /// <summary>Releases the claim of an instance that has bookmarks and may wait for them.</summary>
    public async Task<Settled> SettleAsync(WorkflowState state, CancellationToken cancellationToken)
    {
        bool isResumed, hasBookmarks;
        await using (var command = _connection.Sql(
                             """
                             select exists (select from resumptions where instance_id = @id)
                                    or exists (select from bookmarks where instance_id = @id and due_at <= now()),
                                    exists (select from bookmarks where instance_id = @id)
                             """)
                         .With("id", _instance.Id))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            await reader.ReadAsync(cancellationToken);
            (isResumed, hasBookmarks) = (reader.GetBoolean(0), reader.GetBoolean(1));
        }

        if (isResumed)
            return Settled.Resumed;
        if (!hasBookmarks)
            return Settled.Ended;
        await UpdateAsync(
            "state = @state, sub_status = 'Suspended', owner = null, ready_at = (select min(due_at) from bookmarks where instance_id = @id)",
            state, cancellationToken);
        return Settled.Suspended;
    }

    /// <summary>Ends the instance and with it the request's run; returns the request's final state.</summary>
    public async Task<RequestStatus> EndAsync(WorkflowState state, string subStatus, RunFinalizer ending, CancellationToken cancellationToken)
    {
        await UpdateAsync(
            "state = @state, status = 'Finished', sub_status = @sub_status, owner = null, ready_at = null, finished_at = now()",
            state, cancellationToken, ("sub_status", subStatus));
        await _connection.Sql("delete from bookmarks where instance_id = @id").With("id", _instance.Id).ExecuteNonQueryAsync(cancellationToken);
        return await ending.EndAsync(_connection, _instance.RequestId, _instance.Run, subStatus, state, cancellationToken);
    }

    public async Task CommitAsync(CancellationToken cancellationToken) => await _transaction.CommitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }

    private async Task UpdateAsync(string set, WorkflowState state, CancellationToken cancellationToken, params (string Name, object Value)[] values)
    {
        await using var writes = new NpgsqlBatch(_connection);
        Update(writes, set, state, values);
        await writes.ExecuteNonQueryAsync(cancellationToken);
    }

    private void Update(NpgsqlBatch writes, string set, WorkflowState state, params ReadOnlySpan<(string Name, object Value)> values)
    {
        var command = writes.Add(
                $"""
                update workflow_instances
                set {set},
                    attempts = 0,
                    updated_at = now()
                where id = @id
                """)
            .With("id", _instance.Id)
            .With("state", NpgsqlDbType.Jsonb, state.ToJson());
        foreach (var (name, value) in values)
            command.With(name, value);
    }

    private void Record(NpgsqlBatch writes, ActivityExecution execution) =>
        writes.Add(
                """
                insert into activity_executions (
                  id, instance_id, sequence, activity_id, node_id, activity_type, activity_name,
                  status, outcomes, inputs, outputs, error, started_at, suspended_at, completed_at)
                values (
                  @id, @instance, @sequence, @activity, @node, @type, @name,
                  @status, @outcomes, @inputs, @outputs, @error, @started,
                  case when @status = 'Running' then now() end,
                  case when @status <> 'Running' then now() end)
                on conflict (id) do update
                set status = excluded.status,
                    outcomes = excluded.outcomes,
                    outputs = excluded.outputs,
                    error = excluded.error,
                    completed_at = excluded.completed_at
                """)
            .With("id", execution.Id)
            .With("instance", _instance.Id)
            .With("sequence", execution.Sequence)
            .With("activity", execution.Activity.Id)
            .With("node", execution.Activity.NodeId)
            .With("type", execution.Activity.Type)
            .With("name", execution.Activity.Name)
            .With("status", execution.Status)
            .With("outcomes", execution.Outcomes)
            .With("inputs", NpgsqlDbType.Jsonb, Json(execution.Inputs))
            .With("outputs", NpgsqlDbType.Jsonb, Json(execution.Outputs))
            .With("error", NpgsqlDbType.Jsonb, Json(execution.Error))
            .With("started", execution.StartedAt.ToUniversalTime());

    private static string? Json(object? value) => value is null ? null : JsonSerializer.Serialize(value);
}

/// <summary>What became of an instance that has nothing to do.</summary>
internal enum Settled
{
    /// <summary>It waits for its bookmarks, and its claim is released.</summary>
    Suspended,

    /// <summary>A bookmark was resumed or is due.</summary>
    Resumed,

    /// <summary>It has no bookmarks.</summary>
    Ended,
}

/// <summary>One execution of an activity, for the journal.</summary>
internal sealed record ActivityExecution(Guid Id, long Sequence, ActivityNode Activity, DateTimeOffset StartedAt)
{
    /// <summary>Running (suspended), Completed, or Faulted.</summary>
    public required string Status { get; init; }
    public string[] Outcomes { get; init; } = [];
    public object? Inputs { get; init; }
    public object? Outputs { get; init; }
    public object? Error { get; init; }
}
