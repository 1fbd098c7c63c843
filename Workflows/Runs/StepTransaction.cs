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
            await connection.Sql("select from csv_data_table where id = @request for no key update")
                .With("request", instance.RequestId.Value)
                .ExecuteNonQueryAsync(cancellationToken);
            var held = await connection.Sql(
                    """
                    select true
                    from workflow_instances
                    where id = @id
                      and fence = @fence
                      and status = 'Running'
                    for no key update
                    """)
                .With("id", instance.Id)
                .With("fence", instance.Fence)
                .ExecuteScalarAsync(cancellationToken);
            if (held is null)
                throw new InstanceLostException(instance.Id);
            return new StepTransaction(connection, transaction, instance);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
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

    /// <summary>Writes an execution into the journal. A suspended one is written twice under the same id: as running, then as it ended.</summary>
    public async Task RecordAsync(ActivityExecution execution, CancellationToken cancellationToken) =>
        await _connection.Sql(
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
            .With("started", execution.StartedAt.ToUniversalTime())
            .ExecuteNonQueryAsync(cancellationToken);

    /// <summary>Saves the snapshot and keeps the claim.</summary>
    public async Task SaveAsync(WorkflowState state, CancellationToken cancellationToken) =>
        await UpdateAsync("state = @state", state, cancellationToken);

    /// <summary>Saves the snapshot and releases the claim; the instance can be claimed again after <paramref name="delay"/>.</summary>
    public async Task PostponeAsync(WorkflowState state, TimeSpan delay, CancellationToken cancellationToken) =>
        await UpdateAsync("state = @state, owner = null, ready_at = now() + @delay", state, cancellationToken, ("delay", delay));

    /// <summary>True if the instance now waits for its bookmarks and its claim is released; false if it has none, or one was resumed.</summary>
    public async Task<bool> TrySuspendAsync(WorkflowState state, CancellationToken cancellationToken)
    {
        var waits = (bool)(await _connection.Sql(
                """
                select exists (select from bookmarks where instance_id = @id)
                   and not exists (select from resumptions where instance_id = @id)
                   and not exists (select from bookmarks where instance_id = @id and due_at <= now())
                """)
            .With("id", _instance.Id)
            .ExecuteScalarAsync(cancellationToken))!;
        if (waits)
            await UpdateAsync("state = @state, sub_status = 'Suspended', owner = null, ready_at = (select min(due_at) from bookmarks where instance_id = @id)", state, cancellationToken);
        return waits;
    }

    /// <summary>True if a bookmark of this instance was resumed, or is due, and has not been processed yet.</summary>
    public async Task<bool> HasResumptionAsync(CancellationToken cancellationToken) =>
        (bool)(await _connection.Sql(
                """
                select exists (select from resumptions where instance_id = @id)
                    or exists (select from bookmarks where instance_id = @id and due_at <= now())
                """)
            .With("id", _instance.Id)
            .ExecuteScalarAsync(cancellationToken))!;

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
        await using var command = _connection.Sql(
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
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static string? Json(object? value) => value is null ? null : JsonSerializer.Serialize(value);
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
