using System.Text.Json;
using Darkroom.Bookmarks;
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
/// everything written through it is written by the instance's only owner or not at all. What a step writes is collected and sent together with
/// the commit: steps are many and small, and most of what they cost is round trips.
/// </summary>
internal sealed class StepTransaction : IAsyncDisposable
{
    // There is another time at which workers must look for ready instances.
    private const string AnnounceTimer = $"select pg_notify('{Resumption.Channel}', '')";

    private readonly NpgsqlConnection _connection;
    private readonly WorkflowInstance _instance;
    private readonly NpgsqlBatch _writes;

    private StepTransaction(NpgsqlConnection connection, WorkflowInstance instance)
    {
        _connection = connection;
        _instance = instance;
        _writes = new NpgsqlBatch(connection);
    }

    /// <exception cref="InstanceLostException">The fence no longer holds.</exception>
    public static async Task<StepTransaction> BeginAsync(NpgsqlDataSource database, WorkflowInstance instance, CancellationToken cancellationToken)
    {
        var step = new StepTransaction(await database.OpenConnectionAsync(cancellationToken), instance);
        try
        {
            if (!await step.TryLockAsync(cancellationToken))
                throw new InstanceLostException(instance.Id);
            step.RecordPending();
            return step;
        }
        catch
        {
            await step.DisposeAsync();
            throw;
        }
    }

    /// <summary>Begins, and locks both rows, in one round trip; false if the fence no longer holds.</summary>
    private async Task<bool> TryLockAsync(CancellationToken cancellationToken)
    {
        await using var locks = new NpgsqlBatch(_connection);
        locks.Add("begin");
        locks.Add("select from csv_data_table where id = @request for no key update")
            .With("request", _instance.RequestId.Value);
        locks.Add(
                """
                select
                from workflow_instances
                where id = @id
                  and fence = @fence
                  and status = 'Running'
                for no key update
                """)
            .With("id", _instance.Id)
            .With("fence", _instance.Fence);
        await using var reader = await locks.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken);
    }

    private void RecordPending()
    {
        foreach (var pending in _instance.Pending)
        {
            if (pending.Bookmark is { } bookmark)
                BurnBookmark(bookmark);
            Record(pending.Execution);
        }
    }

    /// <summary>Reads what the request provides for its workflow's inputs.</summary>
    public Task<Dictionary<string, JsonElement>> ReadInputsAsync(CancellationToken cancellationToken) =>
        RequestInputs.ReadAsync(_connection, _instance.RequestId, _instance.Run, cancellationToken);

    /// <summary>Marks the request as processing; does nothing after the first time.</summary>
    public void MarkProcessing() => RequestUpdates.BeginProcessing(_writes, _instance.RequestId);

    public void InsertBookmark(Guid id, ActivityNode activity, ActivityResult.Suspended suspended) =>
        _writes.Add(
                """
                insert into bookmarks (id, instance_id, activity_id, name, payload, due_at)
                values (@id, @instance, @activity, @name, @payload, now() + @resume_after)
                """)
            .With("id", id)
            .With("instance", _instance.Id)
            .With("activity", activity.Id)
            .With("name", activity.Type)
            .With("payload", NpgsqlDbType.Jsonb, suspended.Payload)
            .With("resume_after", NpgsqlDbType.Interval, suspended.ResumeAfter);

    public void BurnBookmark(Guid id) =>
        _writes.Add("delete from bookmarks where id = @id and instance_id = @instance")
            .With("id", id)
            .With("instance", _instance.Id);

    /// <summary>Makes an activity's own writes, after those collected so far.</summary>
    public async Task ApplyAsync(CommitEffect effect, CancellationToken cancellationToken)
    {
        await FlushAsync(cancellationToken);
        await effect(_connection, cancellationToken);
    }

    /// <summary>
    /// Writes an execution into the journal. A suspended execution is written twice under the same id: as running, then as it ended.
    /// </summary>
    public void Record(ActivityExecution execution) =>
        _writes.Add(
                """
                insert into activity_executions (
                  id, instance_id, sequence, activity_id, node_id, activity_type, activity_name,
                  status, outcomes, inputs, outputs, error, started_at, suspended_at, completed_at)
                values (
                  @id, @instance, @sequence, @activity, @node, @type, @name,
                  @status, @outcomes, @inputs, @outputs, @error, @started,
                  case when @status = 'Running' then now() end,
                  case when @status <> 'Running' then coalesce(@completed, now()) end)
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
            .With("completed", NpgsqlDbType.TimestampTz, execution.CompletedAt?.ToUniversalTime());

    /// <summary>Saves the snapshot and keeps the claim.</summary>
    public void Save(WorkflowState state) => Update("state = @state", state);

    /// <summary>Saves the snapshot and releases the claim; the instance can be claimed again after <paramref name="delay"/>.</summary>
    public void Postpone(WorkflowState state, TimeSpan delay)
    {
        Update("state = @state, owner = null, ready_at = now() + @delay", state).With("delay", delay);
        _writes.Add(AnnounceTimer);
    }

    /// <summary>Saves the snapshot and releases the claim until a bookmark is resumed or due.</summary>
    public void Suspend(WorkflowState state)
    {
        Update(
            "state = @state, sub_status = 'Suspended', owner = null, ready_at = (select min(due_at) from bookmarks where instance_id = @id)", state);
        // Most wait for an event, and wake nobody.
        _writes.Add($"{AnnounceTimer} where exists (select from bookmarks where instance_id = @id and due_at is not null)").With("id", _instance.Id);
    }

    /// <summary>What an instance that has nothing to do waits for, by what has been written so far.</summary>
    public async Task<Wait> ReadWaitAsync(CancellationToken cancellationToken)
    {
        _writes.Add(
                """
                select case
                         when exists (select from resumptions where instance_id = @id)
                              or exists (select from bookmarks where instance_id = @id and due_at <= now()) then 'Over'
                         when exists (select from bookmarks where instance_id = @id) then 'Bookmark'
                         else 'Nothing'
                       end
                """)
            .With("id", _instance.Id);
        // The other statements return no rows.
        var wait = (string)(await _writes.ExecuteScalarAsync(cancellationToken))!;
        _writes.BatchCommands.Clear();
        return Enum.Parse<Wait>(wait);
    }

    /// <summary>Ends the instance and with it the request's run; returns the request's final state.</summary>
    public async Task<RequestStatus> EndAsync(WorkflowState state, string subStatus, RunFinalizer ending, CancellationToken cancellationToken)
    {
        Update("state = @state, status = 'Finished', sub_status = @sub_status, owner = null, ready_at = null, finished_at = now()", state)
            .With("sub_status", subStatus);
        _writes.Add("delete from bookmarks where instance_id = @id").With("id", _instance.Id);
        return await ending.EndAsync(_writes, _instance.RequestId, _instance.Run, subStatus, state, cancellationToken);
    }

    public async Task CommitAsync(CancellationToken cancellationToken)
    {
        _writes.Add("commit");
        await FlushAsync(cancellationToken);
    }

    /// <summary>Rolls back what has not been committed: the pool takes no connection back in a transaction.</summary>
    public async ValueTask DisposeAsync()
    {
        await _writes.DisposeAsync();
        await _connection.DisposeAsync();
    }

    private async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_writes.BatchCommands.Count == 0)
            return;
        await _writes.ExecuteNonQueryAsync(cancellationToken);
        _writes.BatchCommands.Clear();
    }

    private NpgsqlBatchCommand Update(string set, WorkflowState state) =>
        _writes.Add(
                $"""
                update workflow_instances
                set {set},
                    attempts = 0,
                    updated_at = now()
                where id = @id
                """)
            .With("id", _instance.Id)
            .With("state", NpgsqlDbType.Jsonb, state.ToJson());

    private static string? Json(object? value) => value is null ? null : JsonSerializer.Serialize(value);
}

/// <summary>What an instance waits for that has nothing to do.</summary>
internal enum Wait
{
    /// <summary>For nothing: it has ended.</summary>
    Nothing,

    /// <summary>For a bookmark.</summary>
    Bookmark,

    /// <summary>No longer: a bookmark was resumed or is due.</summary>
    Over,
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

    /// <summary>When it ended; null if that is when it is written.</summary>
    public DateTimeOffset? CompletedAt { get; init; }
}

/// <summary>A completed execution that is not in the journal yet.</summary>
/// <param name="Execution">The execution.</param>
/// <param name="Bookmark">The bookmark that it has used up, or null.</param>
internal sealed record PendingExecution(ActivityExecution Execution, Guid? Bookmark);
