using Darkroom.Data;
using Darkroom.Engine;
using Darkroom.Engine.Definitions;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Runs;

/// <summary>Workflow definitions with all their versions: what people list and edit, and what new requests run.</summary>
public sealed partial class DefinitionStore(NpgsqlDataSource database, DefinitionValidator validator, IOptions<EngineOptions> options)
{
    private const string SummaryColumns =
        "id, definition_id, version, name, description, is_latest, is_published, was_published, created_at, revision";

    /// <summary>A page of the versions that match the filter, and how many match in all.</summary>
    public async Task<(IReadOnlyList<DefinitionSummary> Items, long Total)> ListAsync(DefinitionFilter filter, CancellationToken cancellationToken)
    {
        var order = filter.Order switch
        {
            DefinitionOrder.Version => "version",
            DefinitionOrder.Created => "created_at",
            _ => "lower(name)",
        };
        var direction = filter.Descending ? "desc" : "asc";
        var condition =
            $"""
            {filter.Versions.Condition}
              and (cardinality(@definitions) = 0 or definition_id = any (@definitions))
              and (cardinality(@ids) = 0 or id = any (@ids))
              and (@search = '' or concat_ws(' ', name, description, definition_id, id) ilike @search)
            """;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var total = (long)(await Bind(connection.Sql($"select count(*) from workflow_definitions where {condition}"), filter)
            .ExecuteScalarAsync(cancellationToken))!;
        await using var command = Bind(
            connection.Sql(
                $"""
                select {SummaryColumns}
                from workflow_definitions
                where {condition}
                order by {order} {direction}, definition_id, version desc
                offset @skip
                limit @take
                """),
            filter);
        return (await ReadSummariesAsync(command, cancellationToken), total);
    }

    /// <summary>The definition's version that matches; if several do, the published one, else the highest.</summary>
    public async Task<WorkflowDefinition?> FindAsync(string definitionId, VersionOptions versions, CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                $"""
                select {SummaryColumns}, document
                from workflow_definitions
                where definition_id = @definition
                  and {versions.Condition}
                order by is_published desc, version desc
                limit 1
                """)
            .With("definition", definitionId)
            .With("version", versions.Number);
        return (await ReadVersionsAsync(command, cancellationToken)).SingleOrDefault();
    }

    /// <summary>The versions with these ids; missing ones are left out.</summary>
    public async Task<IReadOnlyList<WorkflowDefinition>> FindVersionsAsync(IReadOnlyList<string> ids, CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                $"""
                select {SummaryColumns}, document
                from workflow_definitions
                where id = any (@ids)
                order by definition_id, version
                """)
            .With("ids", ids.ToArray());
        return await ReadVersionsAsync(command, cancellationToken);
    }

    /// <summary>Whether no other definition's latest version has this name.</summary>
    public async Task<bool> IsNameUniqueAsync(string name, string? exceptDefinitionId, CancellationToken cancellationToken) =>
        await database.Sql(
                """
                select 1
                from workflow_definitions
                where is_latest
                  and lower(name) = lower(@name)
                  and definition_id <> @except
                limit 1
                """)
            .With("name", name)
            .With("except", exceptDefinitionId ?? "")
            .ExecuteScalarAsync(cancellationToken) is null;

    /// <summary>How many definitions there are.</summary>
    public async Task<long> CountAsync(CancellationToken cancellationToken) =>
        (long)(await database.Sql("select count(*) from workflow_definitions where is_latest").ExecuteScalarAsync(cancellationToken))!;

    /// <summary>Inserts the definition, published, unless it already exists in any version. True if it was inserted.</summary>
    public async Task<bool> SeedAsync(string id, string definitionId, int version, WorkflowDocument document, CancellationToken cancellationToken)
    {
        var inserted = await database.Sql(
                """
                insert into workflow_definitions (id, definition_id, version, name, description, is_latest, is_published, was_published, document)
                select @id, @definition, @version, @name, @description, true, true, true, @document
                where not exists (select from workflow_definitions where definition_id = @definition)
                on conflict do nothing
                """)
            .With("id", id)
            .With("definition", definitionId)
            .With("version", version)
            .With("name", document.Name)
            .With("description", NpgsqlDbType.Text, document.Description)
            .With("document", document.Text)
            .ExecuteNonQueryAsync(cancellationToken);
        return inserted == 1;
    }

    private static async Task<List<WorkflowDefinition>> ReadVersionsAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var versions = new List<WorkflowDefinition>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            versions.Add(new WorkflowDefinition(ReadSummary(reader), reader.GetString(10)));
        return versions;
    }

    private static async Task<List<DefinitionSummary>> ReadSummariesAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var summaries = new List<DefinitionSummary>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            summaries.Add(ReadSummary(reader));
        return summaries;
    }

    private static DefinitionSummary ReadSummary(NpgsqlDataReader reader) =>
        new(reader.GetString(0), reader.GetString(1), reader.GetInt32(2), reader.GetString(3), reader.TextOrNull(4),
            reader.GetBoolean(5), reader.GetBoolean(6), reader.GetBoolean(7), reader.GetFieldValue<DateTimeOffset>(8), reader.GetGuid(9));

    private static NpgsqlCommand Bind(NpgsqlCommand command, DefinitionFilter filter) => command
        .With("version", filter.Versions.Number)
        .With("definitions", filter.DefinitionIds.ToArray())
        .With("ids", filter.Ids.ToArray())
        .With("search", filter.Search is { } search ? $"%{Escape(search)}%" : "")
        .With("skip", filter.Skip)
        .With("take", filter.Take);

    private static string Escape(string text) => text
        .Replace(@"\", @"\\", StringComparison.Ordinal)
        .Replace("%", @"\%", StringComparison.Ordinal)
        .Replace("_", @"\_", StringComparison.Ordinal);
}
