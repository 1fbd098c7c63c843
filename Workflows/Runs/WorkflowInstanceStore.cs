using System.Collections.Concurrent;
using System.Text.Json;
using Darkroom.Bookmarks;
using Darkroom.Data;
using Darkroom.Engine;
using Darkroom.Engine.Definitions;
using Darkroom.Engine.Flow;
using Darkroom.Leases;
using Darkroom.Telemetry;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Runs;

/// <summary>Workflow instances: created with their request, claimed by one process at a time, changed only under the claim's fence.</summary>
public sealed class WorkflowInstanceStore(
    NpgsqlDataSource database, ProcessLease process, DarkroomMetrics metrics, IOptions<ProcessLeaseOptions> lease, IOptions<EngineOptions> options)
{
    // The fence of the latest claim by instance id, and whose instance it is.
    private readonly ConcurrentDictionary<Guid, (long Fence, OwnerId Owner)> _claims = new();
    private volatile bool _passesOver;

    /// <summary>
    /// Whether the latest claim passed over an owner who had as many places as one may have: there may be instances to claim when one ends.
    /// </summary>
    public bool PassesOver => _passesOver;

    /// <summary>Adds to a batch: inserts the instance of a request's run, and notifies workers when the transaction commits.</summary>
    public static void Insert(NpgsqlBatch batch, RequestId request, int run, WorkflowDefinition definition)
    {
        var document = DocumentHash.Of(definition.Text).Bytes;
        batch.Add("insert into workflow_documents (sha256, document) values (@sha256, @document) on conflict do nothing")
            .With("sha256", document)
            .With("document", definition.Text);
        batch.Add(
                $"""
                insert into workflow_instances (
                  id, request_id, run, definition_id, definition_version_id, version, document_sha256, state, traceparent)
                values (@id, @request, @run, @definition, @version_id, @version, @sha256, @state, @traceparent)
                """)
            .With("id", Guid.CreateVersion7())
            .With("request", request.Value)
            .With("run", run)
            .With("definition", definition.Summary.DefinitionId)
            .With("version_id", definition.Summary.Id)
            .With("version", definition.Summary.Version)
            .With("sha256", document)
            .With("state", NpgsqlDbType.Jsonb, WorkflowState.New.ToJson())
            .With("traceparent", NpgsqlDbType.Text, DarkroomTracing.CurrentTraceParent);
        batch.Add($"notify {Resumption.Channel}");
    }

    /// <summary>
    /// Inserts the instance of a request's next run. It runs the same text as the run before or, if that run's instance was deleted,
    /// the version that the request names.
    /// </summary>
    /// <exception cref="InvalidOperationException">There is nothing to run: without an instance the run would never end.</exception>
    public static async Task InsertNextAsync(NpgsqlConnection connection, RequestId request, int run, CancellationToken cancellationToken)
    {
        var id = Guid.CreateVersion7();
        await connection.Sql(
                $"""
                insert into workflow_documents (sha256, document)
                select sha256(convert_to(d.document, 'UTF8')), d.document
                from csv_data_table r
                join workflow_definitions d on d.id = r.workflow_version_id
                where r.id = @request
                  and not exists (select from workflow_instances where request_id = @request and run = @run - 1)
                on conflict do nothing;

                insert into workflow_instances (
                  id, request_id, run, definition_id, definition_version_id, version, document_sha256, state, traceparent)
                select @id, r.id, @run, d.definition_id, d.id, d.version,
                       coalesce(i.document_sha256, sha256(convert_to(d.document, 'UTF8'))), @state, @traceparent
                from csv_data_table r
                join workflow_definitions d on d.id = r.workflow_version_id
                left join workflow_instances i on i.request_id = r.id and i.run = @run - 1
                where r.id = @request;

                select pg_notify('{Resumption.Channel}', '')
                """)
            .With("id", id)
            .With("request", request.Value)
            .With("run", run)
            .With("state", NpgsqlDbType.Jsonb, WorkflowState.New.ToJson())
            .With("traceparent", NpgsqlDbType.Text, DarkroomTracing.CurrentTraceParent)
            .ExecuteNonQueryAsync(cancellationToken);
        if (await connection.Sql("select 1 from workflow_instances where id = @id").With("id", id).ExecuteScalarAsync(cancellationToken) is null)
            throw new InvalidOperationException($"Request {request} has no workflow for run {run}.");
    }

    /// <summary>Time until an instance that nobody runs, and that this process may claim, becomes ready by itself; null if none will.</summary>
    public async Task<TimeSpan?> NextReadyAsync(CancellationToken cancellationToken) =>
        await database.Sql(
                // greatest ignores nulls: by itself it would make an empty table always due.
                """
                select case when min(ready_at) is not null then greatest(min(ready_at) - now(), interval '0') end
                from workflow_instances
                where status = 'Running'
                  and owner is null
                  and ready_at > '-infinity'
                  and owner_id <> all (@full)
                """)
            .With("full", Full())
            .ExecuteScalarAsync(cancellationToken) as TimeSpan?;

    /// <summary>
    /// Claims a ready instance, or null: of the owner of whom the fewest are running, the one that has been ready longest. The last quarter of
    /// this process's places is for other owners. The claim lasts as long as this process's lease, or until it is released.
    /// </summary>
    public async Task<WorkflowInstance?> ClaimNextAsync(CancellationToken cancellationToken)
    {
        var current = process.Current;
        // An instance may end at any moment: until it is known whether its owner is passed over, assume so.
        _passesOver = true;
        var full = Full();
        _passesOver = full.Length > 0;
        // Backlogs come and go faster than statistics, so each step is one that the planner can only take by an index. Owners are read in
        // their order until one has an instance that nobody else is just claiming; only that instance is locked.
        await using var command = database.Sql(
                """
                with recursive resumed as materialized (
                  select id, owner_id
                  from workflow_instances
                  where id = any(array(select instance_id from resumptions))
                    and status = 'Running'
                    and sub_status = 'Suspended'
                    and owner is null
                ),
                owners as (
                  -- A loose index scan: one step per owner, regardless of their backlog.
                  (select owner_id
                   from workflow_instances
                   where status = 'Running' and owner is null and ready_at is not null
                   order by owner_id
                   limit 1)
                  union all
                  select (select i.owner_id
                          from workflow_instances i
                          where i.status = 'Running' and i.owner is null and i.ready_at is not null and i.owner_id > o.owner_id
                          order by i.owner_id
                          limit 1)
                  from owners o
                  where o.owner_id is not null
                ),
                ranked as materialized (
                  select o.owner_id,
                         (select count(*) from workflow_instances i where i.owner_id = o.owner_id and i.owner is not null) as running,
                         case when o.owner_id <> all (array(select owner_id from resumed)) then (
                           select i.ready_at
                           from workflow_instances i
                           where i.owner_id = o.owner_id and i.status = 'Running' and i.owner is null and i.ready_at is not null
                           order by i.ready_at
                           limit 1)
                         end as ready_at
                  from (select owner_id from owners where owner_id is not null union select owner_id from resumed) o
                  where o.owner_id <> all (@full)
                  order by running, ready_at nulls first
                ),
                ready as (
                  select next.id
                  from ranked r
                  cross join lateral (
                    select id
                    from (
                      select i.id
                      from workflow_instances i
                      where i.id = any(array(select id from resumed where owner_id = r.owner_id))
                        and i.status = 'Running'
                        and i.sub_status = 'Suspended'
                        and i.owner is null
                      order by i.id
                      limit 1
                      for update skip locked) resumed
                    union all
                    select id
                    from (
                      select i.id
                      from workflow_instances i
                      where i.owner_id = r.owner_id
                        and i.status = 'Running'
                        and i.owner is null
                        and i.ready_at <= now()
                      order by i.ready_at
                      limit 1
                      for update skip locked) due
                  ) next
                  limit 1
                )
                update workflow_instances
                set owner = @owner,
                    fence = fence + 1,
                    sub_status = 'Executing',
                    -- A resumed instance has none, or its timer's; it is to be claimed again at once if this owner dies.
                    ready_at = least(ready_at, now()),
                    updated_at = now()
                where id = (select id from ready)
                returning id, request_id, run, definition_version_id, fence, state, document_sha256, traceparent, attempts, owner_id
                """)
            .With("owner", current.Id)
            .With("full", full);
        return await ReadInstanceAsync(command, claimed => _claims[claimed.Id] = (claimed.Fence, claimed.Owner), cancellationToken) is { } instance
            ? instance with { Held = current.Held }
            : null;
    }

    /// <summary>
    /// Frees the claims of processes that died or stopped, and claims of this process that it does not know of because the connection was lost
    /// before the response arrived. An instance whose process died has used one of its attempts. Returns how many.
    /// </summary>
    /// <remarks>Not while this process is claiming: the response might still arrive.</remarks>
    public async Task<int> FreeAbandonedAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                $"""
                with abandoned as (
                  select i.id, i.owner <> @owner and exists (select from processes p where p.id = i.owner) as died
                  from workflow_instances i
                  where i.owner is not null
                    and i.status = 'Running'
                    and ({ProcessLeaseSql.OwnerIsGone("i.owner")} or (i.owner = @owner and i.id <> all (@claimed)))
                  for update of i skip locked
                )
                update workflow_instances i
                set owner = null,
                    attempts = attempts + died::int
                from abandoned a
                where i.id = a.id
                """)
            .With("owner", process.Id)
            .With("claimed", _claims.Keys.ToArray())
            .WithLease(lease.Value);
        var freed = await command.ExecuteNonQueryAsync(cancellationToken);
        metrics.ClaimsRecovered(ClaimKind.Instance, freed);
        return freed;
    }

    /// <summary>Notes that this process has finished with this claim, however it ended.</summary>
    public void Forget(WorkflowInstance instance) => _claims.TryRemove(KeyValuePair.Create(instance.Id, (instance.Fence, instance.Owner)));

    /// <summary>Reloads an instance that this process still owns; null if it no longer does.</summary>
    public async Task<WorkflowInstance?> ReloadAsync(WorkflowInstance instance, CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                """
                select id, request_id, run, definition_version_id, fence, state, document_sha256, traceparent, attempts, owner_id
                from workflow_instances
                where id = @id
                  and fence = @fence
                  and status = 'Running'
                """)
            .With("id", instance.Id)
            .With("fence", instance.Fence);
        return await ReadInstanceAsync(command, null, cancellationToken);
    }

    /// <summary>Opens the transaction of the instance's next step.</summary>
    /// <exception cref="InstanceLostException">The fence no longer holds.</exception>
    internal Task<StepTransaction> BeginStepAsync(WorkflowInstance instance, CancellationToken cancellationToken) =>
        StepTransaction.BeginAsync(database, instance, cancellationToken);

    /// <summary>Bookmarks of this instance that were resumed, oldest first.</summary>
    public async Task<IReadOnlyList<Resumption>> ReadResumptionsAsync(WorkflowInstance instance, CancellationToken cancellationToken)
    {
        var resumptions = new List<Resumption>();
        await using var command = database.Sql(
                """
                select b.id, b.activity_id, b.payload, coalesce(r.input, '{}')
                from bookmarks b
                left join resumptions r on r.bookmark_id = b.id
                where b.instance_id = @instance
                  and (r.bookmark_id is not null or b.due_at <= now())
                order by coalesce(r.created_at, b.due_at), b.id
                """)
            .With("instance", instance.Id);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            resumptions.Add(new Resumption(reader.GetGuid(0), reader.GetString(1), reader.GetString(2), reader.GetString(3)));
        return resumptions;
    }

    /// <summary>Releases a claimed instance unchanged; it can be claimed again after <paramref name="delay"/>.</summary>
    /// <param name="instance">The claimed instance.</param>
    /// <param name="delay">How long it rests.</param>
    /// <param name="usesAttempt">Whether it failed in an unforeseen way.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public async Task ReleaseAsync(WorkflowInstance instance, TimeSpan delay, bool usesAttempt, CancellationToken cancellationToken) =>
        await database.Sql(
                $"""
                update workflow_instances
                set owner = null,
                    attempts = attempts + @attempts,
                    ready_at = now() + @delay
                where id = @id
                  and fence = @fence
                  and status = 'Running';

                select pg_notify('{Resumption.Channel}', '')
                """)
            .With("id", instance.Id)
            .With("fence", instance.Fence)
            .With("delay", delay)
            .With("attempts", usesAttempt ? 1 : 0)
            .ExecuteNonQueryAsync(cancellationToken);

    /// <param name="command">Returns at most one instance.</param>
    /// <param name="onClaimed">Notes the claim.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    private static async Task<WorkflowInstance?> ReadInstanceAsync(NpgsqlCommand command, Action<WorkflowInstance>? onClaimed, CancellationToken cancellationToken)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        var state = TryReadState(reader.GetString(5));
        var instance = new WorkflowInstance(
            reader.GetGuid(0), new RequestId(reader.GetGuid(1)), reader.GetInt32(2), reader.GetString(3), reader.GetInt64(4),
            state ?? WorkflowState.New)
        {
            IsUnreadable = state is null,
            Document = new DocumentHash(reader.GetFieldValue<byte[]>(6)),
            TraceParent = reader.TextOrNull(7),
            Attempts = reader.GetInt32(8),
            Owner = new OwnerId(reader.GetGuid(9)),
        };
        onClaimed?.Invoke(instance);
        return instance;
    }

    /// <summary>Owners who have all the places of this process that one owner may have.</summary>
    private Guid[] Full()
    {
        var share = Math.Max(1, options.Value.Concurrency * 3 / 4);
        return [.. _claims.Values.CountBy(claim => claim.Owner).Where(owner => owner.Value >= share).Select(owner => owner.Key.Value)];
    }

    /// <summary>Null if it was not written by this engine.</summary>
    private static WorkflowState? TryReadState(string json)
    {
        try
        {
            return WorkflowState.FromJson(json);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
