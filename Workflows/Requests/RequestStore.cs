using Darkroom.Data;
using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Requests;

/// <summary>Reads requests, always for one owner.</summary>
public sealed class RequestStore(NpgsqlDataSource database)
{
    // Every query filters by owner, so another owner's request looks as if it did not exist.
    private const string Columns =
        """
        r.id, r.owner_id, r.status::text, r.processing_percentage, r.no_of_products, r.no_of_images,
        r.images_succeeded, r.images_failed, r.bytes_in, r.bytes_out, r.run, r.revision,
        r.csv_path, r.file_name, r.csv_bytes, r.csv_sha256, r.output_path,
        r.workflow_definition_id, d.version, r.webhook_url, r.error_code, r.error_message,
        r.created_at, r.started_at, r.finished_at, r.updated_at
        """;

    private const string ById =
        $"""
        select {Columns}
        from csv_data_table r
        join workflow_definitions d on d.id = r.workflow_version_id
        where r.id = @id
          and r.owner_id = @owner
        """;

    public async Task<Request?> FindAsync(OwnerId owner, RequestId id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await FindAsync(connection, owner, id, cancellationToken);
    }

    /// <summary>Reads in the caller's transaction.</summary>
    public static async Task<Request?> FindAsync(NpgsqlConnection connection, OwnerId owner, RequestId id, CancellationToken cancellationToken)
    {
        await using var command = connection.Sql(ById).With("id", id.Value).With("owner", owner.Value);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await ReadAsync(reader, cancellationToken);
    }

    /// <summary>Adds to a batch: selects a request, for <see cref="ReadAsync"/>.</summary>
    public static void Find(NpgsqlBatch batch, OwnerId owner, RequestId id) =>
        batch.Add(ById).With("id", id.Value).With("owner", owner.Value);

    /// <summary>The request that was found, or null.</summary>
    public static async Task<Request?> ReadAsync(NpgsqlDataReader reader, CancellationToken cancellationToken) =>
        await reader.ReadAsync(cancellationToken) ? Read(reader) : null;

    /// <summary>Lists an owner's requests, newest first, after the given place.</summary>
    public async Task<IReadOnlyList<Request>> ListAsync(OwnerId owner, RequestPlace? after, int limit, CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                $"""
                select {Columns}
                from csv_data_table r
                join workflow_definitions d on d.id = r.workflow_version_id
                where r.owner_id = @owner
                  and r.created_at <= coalesce(@after_time, 'infinity')
                  and (@after_time is null
                       or r.created_at < @after_time
                       or (r.created_at = @after_time and r.id > @after_id))
                order by r.created_at desc, r.id
                limit @limit
                """)
            .With("owner", owner.Value)
            .With("after_time", NpgsqlDbType.TimestampTz, after?.CreatedAt)
            .With("after_id", NpgsqlDbType.Uuid, after?.Id.Value)
            .With("limit", limit);
        var requests = new List<Request>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            requests.Add(Read(reader));
        return requests;
    }

    private static Request Read(NpgsqlDataReader row) => new()
    {
        Id = new RequestId(row.GetGuid(0)),
        OwnerId = new OwnerId(row.GetGuid(1)),
        Status = RequestStatuses.Parse(row.GetString(2)),
        ProcessingPercentage = row.GetInt32(3),
        NoOfProducts = row.GetInt32(4),
        NoOfImages = row.GetInt32(5),
        ImagesSucceeded = row.GetInt32(6),
        ImagesFailed = row.GetInt32(7),
        BytesIn = row.GetInt64(8),
        BytesOut = row.GetInt64(9),
        Run = row.GetInt32(10),
        Revision = row.GetInt64(11),
        CsvPath = row.GetString(12),
        FileName = row.TextOrNull(13),
        CsvBytes = row.GetInt64(14),
        CsvSha256 = row.GetFieldValue<byte[]>(15),
        OutputPath = row.TextOrNull(16),
        WorkflowDefinitionId = row.GetString(17),
        WorkflowVersion = row.GetInt32(18),
        WebhookUrl = row.TextOrNull(19),
        ErrorCode = row.TextOrNull(20),
        ErrorMessage = row.TextOrNull(21),
        CreatedAt = row.GetFieldValue<DateTimeOffset>(22),
        StartedAt = row.TimeOrNull(23),
        FinishedAt = row.TimeOrNull(24),
        UpdatedAt = row.GetFieldValue<DateTimeOffset>(25),
    };
}

/// <summary>A position in an owner's list of requests, to continue paging from.</summary>
public readonly record struct RequestPlace(DateTimeOffset CreatedAt, RequestId Id);
