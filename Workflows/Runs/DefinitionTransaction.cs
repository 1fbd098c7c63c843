using Darkroom.Data;
using Darkroom.Engine.Definitions;
using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Runs;

/// <summary>A definition version with what only editing needs to know of it.</summary>
internal sealed record StoredVersion(DefinitionVersion Version, bool WasPublished, string? Editor, IReadOnlyList<Guid> EditorRevisions);

/// <summary>One change to a definition, all of whose versions are locked meanwhile. Without a commit nothing has happened.</summary>
internal sealed class DefinitionTransaction : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;
    private readonly string _definitionId;

    private DefinitionTransaction(NpgsqlConnection connection, NpgsqlTransaction transaction, string definitionId)
    {
        _connection = connection;
        _transaction = transaction;
        _definitionId = definitionId;
    }

    /// <summary>As they are in this transaction, lowest first.</summary>
    public IReadOnlyList<StoredVersion> Versions { get; private set; } = [];

    public StoredVersion? Latest => Versions.FirstOrDefault(version => version.Version.Summary.IsLatest);

    public static async Task<DefinitionTransaction> BeginAsync(NpgsqlDataSource database, string definitionId, CancellationToken cancellationToken)
    {
        var connection = await database.OpenConnectionAsync(cancellationToken);
        try
        {
            var edit = new DefinitionTransaction(connection, await connection.BeginTransactionAsync(cancellationToken), definitionId);
            // A lock of the id and not of rows: there may be none yet, and uploads that pin a version need not wait.
            await connection.Sql("select pg_advisory_xact_lock(hashtextextended(@lock, 0))").With("lock", $"definition:{definitionId}")
                .ExecuteNonQueryAsync(cancellationToken);
            await edit.ReadAsync(cancellationToken);
            return edit;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Adds the next version as the latest.</summary>
    public async Task InsertAsync(
        string id, DefinitionContent content, string editor, CancellationToken cancellationToken, IReadOnlyList<Guid>? chain = null)
    {
        await ExecuteAsync("update workflow_definitions set is_latest = false where definition_id = @definition and is_latest", cancellationToken);
        await Bind(
                """
                insert into workflow_definitions (
                  id, definition_id, version, name, description, is_latest, is_published, document, editor, editor_revisions)
                values (@id, @definition, @version, @name, @description, true, false, @document, @editor, @chain)
                """, content, editor, chain ?? [])
            .With("id", id)
            .With("version", Versions.Select(v => v.Version.Summary.Version).DefaultIfEmpty(0).Max() + 1)
            .ExecuteNonQueryAsync(cancellationToken);
        await ReadAsync(cancellationToken);
    }

    /// <summary>Puts new content into the latest version, a draft.</summary>
    public async Task UpdateLatestAsync(DefinitionContent content, string editor, IReadOnlyList<Guid> chain, CancellationToken cancellationToken)
    {
        await Bind(
                """
                update workflow_definitions
                set name = @name,
                    description = @description,
                    document = @document,
                    revision = gen_random_uuid(),
                    editor = @editor,
                    editor_revisions = @chain
                where definition_id = @definition
                  and is_latest
                """, content, editor, chain)
            .ExecuteNonQueryAsync(cancellationToken);
        await ReadAsync(cancellationToken);
    }

    /// <summary>True if it was published already.</summary>
    public async Task<bool> PublishLatestAsync(CancellationToken cancellationToken)
    {
        if (Latest!.Version.Summary.IsPublished) return true;
        await RetractAsync(cancellationToken);
        await ExecuteAsync(
            "update workflow_definitions set is_published = true, was_published = true where definition_id = @definition and is_latest", cancellationToken);
        await ReadAsync(cancellationToken);
        return false;
    }

    public async Task RetractAsync(CancellationToken cancellationToken)
    {
        await ExecuteAsync("update workflow_definitions set is_published = false where definition_id = @definition and is_published", cancellationToken);
        await ReadAsync(cancellationToken);
    }

    /// <summary>Whether a request or an instance names one of these versions; a finished one too: it may be retried and is shown with it.</summary>
    public async Task<bool> HaveRequestsAsync(string[] ids, CancellationToken cancellationToken) =>
        (bool)(await _connection.Sql(
                """
                select exists (select from csv_data_table where workflow_version_id = any (@ids))
                    or exists (select from workflow_instances where definition_version_id = any (@ids))
                """)
            .With("ids", ids)
            .ExecuteScalarAsync(cancellationToken))!;

    /// <summary>Deletes versions; the highest that is left is the latest.</summary>
    public async Task DeleteAsync(string[] ids, CancellationToken cancellationToken)
    {
        await _connection.Sql("delete from workflow_definitions where id = any (@ids)").With("ids", ids).ExecuteNonQueryAsync(cancellationToken);
        await ExecuteAsync(
            """
            update workflow_definitions
            set is_latest = true
            where definition_id = @definition
              and version = (select max(version) from workflow_definitions where definition_id = @definition)
              and not is_latest
            """, cancellationToken);
        await ReadAsync(cancellationToken);
    }

    public Task CommitAsync(CancellationToken cancellationToken) => _transaction.CommitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        await using var command = _connection.Sql(
                $"""
                select {DefinitionReader.SummaryColumns}, document, was_published, editor, editor_revisions
                from workflow_definitions
                where definition_id = @definition
                order by version
                """)
            .With("definition", _definitionId);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var versions = new List<StoredVersion>();
        while (await reader.ReadAsync(cancellationToken))
        {
            versions.Add(new StoredVersion(
                DefinitionReader.ReadVersion(reader), reader.GetBoolean(10), reader.IsDBNull(11) ? null : reader.GetString(11),
                reader.GetFieldValue<Guid[]>(12)));
        }

        Versions = versions;
    }

    private Task<int> ExecuteAsync(string sql, CancellationToken cancellationToken) =>
        _connection.Sql(sql).With("definition", _definitionId).ExecuteNonQueryAsync(cancellationToken);

    private NpgsqlCommand Bind(string sql, DefinitionContent content, string editor, IReadOnlyList<Guid> chain) => _connection.Sql(sql)
        .With("definition", _definitionId)
        .With("name", content.Name)
        .With("description", NpgsqlDbType.Text, content.Description)
        .With("document", content.Document)
        .With("editor", editor)
        .With("chain", chain.ToArray());
}
