using Darkroom.Data;
using Darkroom.Engine.Definitions;
using Darkroom.Engine.Flow;
using Darkroom.Requests;
using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Runs;

/// <summary>Reads workflow instances for people: lists, details and history.</summary>
public sealed partial class WorkflowInstanceReader(NpgsqlDataSource database)
{
    // A retry reopens the failed images of an earlier run, so they no longer count as failed. What remains are the counts, of
    // which the body's own is the highest.
    private const string Instances =
        """
        select i.id, i.request_id, r.owner_id, i.run, i.run = r.run as is_current_run,
               i.definition_id, i.definition_version_id, i.version, i.status, i.sub_status,
               coalesce(nullif(r.file_name, ''), d.name) || case when i.run > 1 then ' (run ' || i.run || ')' else '' end as name,
               coalesce(jsonb_array_length(i.state -> 'incidents'), 0)
                 + case when i.run = r.run then r.images_failed
                        else (select coalesce(max(f.faulted), 0) from fan_out_counts f where f.instance_id = i.id)
                   end as incident_count,
               i.created_at,
               case when i.run = r.run then greatest(i.updated_at, r.updated_at) else i.updated_at end as updated_at,
               i.finished_at, i.journal_removed_at, i.state, i.document_sha256,
               r.status::text as request_status, r.file_name, r.no_of_products, r.no_of_images, r.images_succeeded, r.images_failed
        from workflow_instances i
        join csv_data_table r on r.id = i.request_id
        join workflow_definitions d on d.id = i.definition_version_id
        """;

    private const string SummaryColumns =
        """
        id, request_id, owner_id, run, is_current_run, definition_id, definition_version_id, version, status, sub_status,
        name, incident_count::bigint, created_at, updated_at, finished_at
        """;

    private const string Matches =
        """
        where (@owner is null or owner_id = @owner)
          and (cardinality(@ids) = 0 or id = any(@ids))
          and (cardinality(@definitions) = 0 or definition_id = any(@definitions))
          and (cardinality(@definition_versions) = 0 or definition_version_id = any(@definition_versions))
          and (cardinality(@correlations) = 0 or request_id::text = any(@correlations))
          and (cardinality(@statuses) = 0 or status = any(@statuses))
          and (cardinality(@sub_statuses) = 0 or sub_status = any(@sub_statuses))
          and (@version is null or version = @version)
          and (@has_incidents is null or (incident_count > 0) = @has_incidents)
          and (@term is null
               or position(lower(@term) in lower(name)) > 0
               or lower(@term) in (id::text, request_id::text, lower(definition_id), lower(definition_version_id)))
        """;

    /// <summary>A page of the instances that match, and how many match in all.</summary>
    public async Task<(IReadOnlyList<InstanceSummary> Items, long Total)> SearchAsync(
        InstanceScope scope, InstanceQuery query, CancellationToken cancellationToken)
    {
        var where = Matches + string.Concat(query.Times.Select((time, i) => $"\n  and {Column(time.Time)} {Operator(time.Comparison)} @time{i}"));
        var direction = query.Ascending ? "asc" : "desc";
        await using var command = Bind(database.Sql(
                $"""
                select count(*)
                from ({Instances}) instances
                {where};

                select {SummaryColumns}
                from ({Instances}) instances
                {where}
                order by {Column(query.Order)} {direction} nulls last, id {direction}
                offset @skip
                limit @take
                """), scope, query)
            .With("skip", query.Skip)
            .With("take", query.Take);
        var items = new List<InstanceSummary>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var total = reader.GetInt64(0);
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            items.Add(ReadSummary(reader));
        return (items, total);
    }

    public async Task<InstanceSummary?> FindSummaryAsync(InstanceScope scope, Guid id, CancellationToken cancellationToken)
    {
        var (items, _) = await SearchAsync(scope, new InstanceQuery { Ids = [id], Take = 1 }, cancellationToken);
        return items.Count == 1 ? items[0] : null;
    }

    /// <summary>A stamp per instance that differs whenever something about it has changed. Deleted instances are absent.</summary>
    public async Task<IReadOnlyDictionary<Guid, InstanceStamp>> ReadStampsAsync(IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken)
    {
        var stamps = new Dictionary<Guid, InstanceStamp>(ids.Count);
        await using var command = database.Sql(
                """
                select i.id, i.updated_at, r.revision
                from workflow_instances i
                join csv_data_table r on r.id = i.request_id
                where i.id = any(@ids)
                """)
            .With("ids", ids.ToArray());
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            stamps[reader.GetGuid(0)] = new InstanceStamp(reader.GetFieldValue<DateTimeOffset>(1), reader.GetInt64(2));
        return stamps;
    }

    private async Task<InstanceDetail?> FindDetailAsync(InstanceScope scope, Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                $"""
                select {SummaryColumns},
                       state, request_status, file_name, no_of_products, no_of_images, images_succeeded, images_failed, journal_removed_at,
                       (select count(*)::int
                        from images m
                        where m.request_id = instances.request_id
                          and m.state = 'running'
                          and instances.is_current_run),
                       document_sha256
                from ({Instances}) instances
                where id = @id
                  and (@owner is null or owner_id = @owner);

                select id, activity_id, name, created_at
                from bookmarks
                where instance_id = @id
                order by created_at, id
                """)
            .With("id", id)
            .With("owner", NpgsqlDbType.Uuid, scope.Owner?.Value);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        var detail = ReadDetail(reader);
        await reader.NextResultAsync(cancellationToken);
        var bookmarks = new List<OpenBookmark>();
        while (await reader.ReadAsync(cancellationToken))
            bookmarks.Add(new OpenBookmark(reader.GetGuid(0), reader.GetString(1), reader.GetString(2), reader.GetFieldValue<DateTimeOffset>(3)));
        return detail with { Bookmarks = bookmarks };
    }

    private static NpgsqlCommand Bind(NpgsqlCommand command, InstanceScope scope, InstanceQuery query)
    {
        command
            .With("owner", NpgsqlDbType.Uuid, scope.Owner?.Value)
            .With("ids", query.Ids.ToArray())
            .With("definitions", query.DefinitionIds.ToArray())
            .With("definition_versions", query.DefinitionVersionIds.ToArray())
            .With("correlations", query.CorrelationIds.ToArray())
            .With("statuses", query.Statuses.ToArray())
            .With("sub_statuses", query.SubStatuses.ToArray())
            .With("version", NpgsqlDbType.Integer, query.Version)
            .With("has_incidents", NpgsqlDbType.Boolean, query.HasIncidents)
            .With("term", NpgsqlDbType.Text, string.IsNullOrWhiteSpace(query.SearchTerm) ? null : query.SearchTerm.Trim());
        for (var i = 0; i < query.Times.Count; i++)
            command.With($"time{i}", query.Times[i].Value.ToUniversalTime());
        return command;
    }

    private static string Column(InstanceTime time) => time switch
    {
        InstanceTime.Created => "created_at",
        InstanceTime.Updated => "updated_at",
        InstanceTime.Finished => "finished_at",
        _ => throw new ArgumentOutOfRangeException(nameof(time), time, null),
    };

    private static string Column(InstanceOrder order) => order switch
    {
        InstanceOrder.Created => "created_at",
        InstanceOrder.Updated => "updated_at",
        InstanceOrder.Finished => "finished_at",
        InstanceOrder.Name => "name",
        _ => throw new ArgumentOutOfRangeException(nameof(order), order, null),
    };

    private static string Operator(TimeComparison comparison) => comparison switch
    {
        TimeComparison.Is => "=",
        TimeComparison.IsNot => "is distinct from",
        TimeComparison.LessThan => "<",
        TimeComparison.GreaterThan => ">",
        TimeComparison.LessThanOrEqual => "<=",
        TimeComparison.GreaterThanOrEqual => ">=",
        _ => throw new ArgumentOutOfRangeException(nameof(comparison), comparison, null),
    };

    private static InstanceSummary ReadSummary(NpgsqlDataReader row) => new()
    {
        Id = row.GetGuid(0),
        RequestId = new RequestId(row.GetGuid(1)),
        OwnerId = new OwnerId(row.GetGuid(2)),
        Run = row.GetInt32(3),
        IsCurrentRun = row.GetBoolean(4),
        DefinitionId = row.GetString(5),
        DefinitionVersionId = row.GetString(6),
        Version = row.GetInt32(7),
        Status = row.GetString(8),
        SubStatus = row.GetString(9),
        Name = row.GetString(10),
        IncidentCount = row.GetInt64(11),
        CreatedAt = row.GetFieldValue<DateTimeOffset>(12),
        UpdatedAt = row.GetFieldValue<DateTimeOffset>(13),
        FinishedAt = row.TimeOrNull(14),
    };

    private static InstanceDetail ReadDetail(NpgsqlDataReader row) => new()
    {
        Summary = ReadSummary(row),
        State = WorkflowState.FromJson(row.GetString(15)),
        RequestStatus = RequestStatuses.Parse(row.GetString(16)),
        FileName = row.TextOrNull(17),
        Products = row.GetInt32(18),
        Images = row.GetInt32(19),
        ImagesSucceeded = row.GetInt32(20),
        ImagesFailed = row.GetInt32(21),
        JournalRemovedAt = row.TimeOrNull(22),
        ImagesRunning = row.GetInt32(23),
        Document = new DocumentHash(row.GetFieldValue<byte[]>(24)),
        Bookmarks = [],
    };
}

/// <summary>The last step of an instance, and the revision of its request.</summary>
public readonly record struct InstanceStamp(DateTimeOffset SteppedAt, long Revision);
