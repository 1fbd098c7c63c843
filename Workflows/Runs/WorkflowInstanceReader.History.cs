using System.Collections.Concurrent;
using System.Text.Json;
using Darkroom.Data;
using Darkroom.Engine;
using Darkroom.Engine.Definitions;
using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Runs;

public sealed partial class WorkflowInstanceReader
{
    // Keyed by text: a draft may have another text the next time somebody tries it.
    private const int MaxCached = 256;

    private readonly ConcurrentDictionary<string, DefinitionNodes> _nodes = new(StringComparer.Ordinal);

    /// <summary>
    /// The history of a run; null if the scope has no such instance. A run of a hundred thousand images has about ten
    /// executions and a few counts, so it is read whole.
    /// </summary>
    /// <param name="failures">Maximum number of failed images to read, in file order.</param>
    public async Task<RunHistory?> FindHistoryAsync(InstanceScope scope, Guid id, int failures, CancellationToken cancellationToken)
    {
        if (await FindDetailAsync(scope, id, cancellationToken) is not { } instance)
            return null;
        var nodes = await NodesAsync(instance.Document, cancellationToken);
        await using var command = database.Sql(
                """
                select id, sequence, activity_id, node_id, activity_type, activity_name, status, outcomes, inputs, outputs, error,
                       started_at, suspended_at, completed_at
                from activity_executions
                where instance_id = @id
                order by sequence;

                select node_id, completed, faulted, retried, first_at, last_at
                from fan_out_counts
                where instance_id = @id
                order by first_at, node_id
                """)
            .With("id", id);
        var executions = new List<RecordedExecution>();
        var counts = new List<BodyCount>();
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
                executions.Add(ReadExecution(reader, instance.Summary));
            await reader.NextResultAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
                if (nodes.Find(reader.GetString(0)) is { } node)
                    counts.Add(ReadCount(reader, node));
        }

        return new RunHistory(instance, nodes, executions, counts, await ReadFailuresAsync(instance, null, failures, cancellationToken));
    }

    /// <summary>The first images in file order that failed at one activity, from among the first few thousand that failed anywhere.</summary>
    public Task<IReadOnlyList<FailedImage>> ListFailuresAsync(InstanceDetail instance, string nodeId, int limit, CancellationToken cancellationToken) =>
        ReadFailuresAsync(instance, nodeId, limit, cancellationToken);

    /// <summary>The instance of a workflow activity's execution, if it is in scope.</summary>
    public async Task<Guid?> FindInstanceOfAsync(InstanceScope scope, Guid execution, CancellationToken cancellationToken) =>
        await database.Sql(
                """
                select i.id
                from activity_executions e
                join workflow_instances i on i.id = e.instance_id
                join csv_data_table r on r.id = i.request_id
                where e.id = @execution
                  and (@owner is null or r.owner_id = @owner)
                """)
            .With("execution", execution)
            .With("owner", NpgsqlDbType.Uuid, scope.Owner?.Value)
            .ExecuteScalarAsync(cancellationToken) as Guid?;

    private async Task<DefinitionNodes> NodesAsync(DocumentHash hash, CancellationToken cancellationToken)
    {
        if (_nodes.TryGetValue(hash.Hex, out var known))
            return known;
        var text = (string)(await database.Sql("select document from workflow_documents where sha256 = @hash")
            .With("hash", hash.Bytes)
            .ExecuteScalarAsync(cancellationToken))!;
        if (_nodes.Count >= MaxCached)
            _nodes.Clear();
        return _nodes.GetOrAdd(hash.Hex, DefinitionNodes.Parse(text));
    }

    private async Task<IReadOnlyList<FailedImage>> ReadFailuresAsync(
        InstanceDetail instance, string? nodeId, int limit, CancellationToken cancellationToken)
    {
        if (limit == 0 || !instance.Summary.IsCurrentRun)
            return [];
        await using var command = database.Sql(
                """
                with failed as (
                  select row, position, url, error_code, error_message, finished_at, attempts, journal
                  from images
                  where request_id = @request
                    and run = @run
                    and state = 'failed'
                  order by row, position
                  limit case when @node is null then @limit else 5000 end
                )
                select *
                from failed
                where @node is null
                   or (journal -> -1 ->> 'NodeId' = @node and journal -> -1 ->> 'Outcome' = error_code)
                order by row, position
                limit @limit
                """)
            .With("request", instance.Summary.RequestId.Value)
            .With("run", instance.Summary.Run)
            .With("node", NpgsqlDbType.Text, nodeId)
            .With("limit", limit);
        var failures = new List<FailedImage>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            failures.Add(ReadFailure(reader));
        return failures;
    }

    private static FailedImage ReadFailure(NpgsqlDataReader row)
    {
        var code = row.GetString(3);
        var steps = row.TextOrNull(7) is { } journal ? JsonSerializer.Deserialize<List<BodyJournalStep>>(journal)! : [];
        // The journal's last step is the one that failed, unless every step succeeded and nothing had been stored at the end.
        var stopped = steps.Count > 0 && steps[^1].Outcome == code ? steps[^1].NodeId : null;
        return new FailedImage(
            row.GetInt32(0), row.GetInt32(1), row.GetString(2), code, row.TextOrNull(4) ?? code,
            row.GetFieldValue<DateTimeOffset>(5), row.GetInt32(6), stopped, steps);
    }

    private static BodyCount ReadCount(NpgsqlDataReader row, DefinitionNode node) => new(
        node, row.GetInt64(1), row.GetInt64(2), row.GetInt64(3),
        row.GetFieldValue<DateTimeOffset>(4), row.GetFieldValue<DateTimeOffset>(5));

    private static RecordedExecution ReadExecution(NpgsqlDataReader row, InstanceSummary instance)
    {
        var status = row.GetString(6);
        var cancelled = status == "Running" && !instance.IsRunning;
        return new RecordedExecution
        {
            Id = row.GetGuid(0),
            Sequence = row.GetInt64(1),
            ActivityId = row.GetString(2),
            NodeId = row.GetString(3),
            ActivityType = row.GetString(4),
            ActivityName = row.GetString(5),
            Status = cancelled ? "Canceled" : status,
            Outcomes = row.GetFieldValue<string[]>(7),
            Inputs = Json(row, 8),
            Outputs = Json(row, 9),
            Error = Json(row, 10),
            StartedAt = row.GetFieldValue<DateTimeOffset>(11),
            SuspendedAt = row.TimeOrNull(12),
            CompletedAt = cancelled ? instance.FinishedAt : row.TimeOrNull(13),
        };
    }

    private static JsonElement? Json(NpgsqlDataReader row, int column) =>
        row.TextOrNull(column) is { } text ? JsonSerializer.Deserialize<JsonElement>(text) : null;
}
