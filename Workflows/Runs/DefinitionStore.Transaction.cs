using Darkroom.Data;
using Darkroom.Engine.Definitions;
using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Runs;

public sealed partial class DefinitionStore
{
    /// <summary>One change to a definition, with all its versions locked. Nothing is changed until it commits.</summary>
    private sealed class DefinitionTransaction : IAsyncDisposable
    {
        private const string DemoteLatest = "update workflow_definitions set is_latest = false where definition_id = @definition and is_latest";

        private readonly NpgsqlConnection _connection;
        private readonly NpgsqlTransaction _transaction;
        private readonly string _definitionId;

        private DefinitionTransaction(NpgsqlConnection connection, NpgsqlTransaction transaction, string definitionId)
        {
            _connection = connection;
            _transaction = transaction;
            _definitionId = definitionId;
        }

        /// <summary>The versions as this transaction sees them, lowest first.</summary>
        public List<WorkflowDefinition> Versions { get; private set; } = [];

        public WorkflowDefinition? Latest => Versions.FirstOrDefault(version => version.Summary.IsLatest);

        private int NextVersion => Versions.Select(version => version.Summary.Version).DefaultIfEmpty(0).Max() + 1;

        public static async Task<DefinitionTransaction> BeginAsync(NpgsqlDataSource database, string definitionId, CancellationToken cancellationToken)
        {
            var connection = await database.OpenConnectionAsync(cancellationToken);
            try
            {
                var edit = new DefinitionTransaction(connection, await connection.BeginTransactionAsync(cancellationToken), definitionId);
                // Locks the id and not rows: there may be none yet, and uploads that pin a version need not wait.
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
            WorkflowDocument document, string editor, CancellationToken cancellationToken, IReadOnlyList<Guid>? revisions = null)
        {
            await ExecuteAsync(DemoteLatest, cancellationToken);
            await Bind(
                    """
                    insert into workflow_definitions (
                      id, definition_id, version, name, description, is_latest, is_published, document, editor, editor_revisions)
                    values (@id, @definition, @version, @name, @description, true, false, @document, @editor, @revisions)
                    """, document, editor, revisions ?? [])
                .With("id", NewId())
                .With("version", NextVersion)
                .ExecuteNonQueryAsync(cancellationToken);
            await ReadAsync(cancellationToken);
        }

        /// <summary>Adds the next version as the latest, with the content of an earlier one.</summary>
        public async Task CopyAsync(WorkflowDefinition version, string editor, CancellationToken cancellationToken)
        {
            await ExecuteAsync(DemoteLatest, cancellationToken);
            await _connection.Sql(
                    """
                    insert into workflow_definitions (
                      id, definition_id, version, name, description, is_latest, is_published, document, editor, editor_revisions)
                    select @id, definition_id, @version, name, description, true, false, document, @editor, '{}'
                    from workflow_definitions
                    where id = @original
                    """)
                .With("id", NewId())
                .With("version", NextVersion)
                .With("editor", editor)
                .With("original", version.Summary.Id)
                .ExecuteNonQueryAsync(cancellationToken);
            await ReadAsync(cancellationToken);
        }

        /// <summary>The revisions that this editor has made of the latest version; none if another editor has saved since.</summary>
        public async Task<Guid[]> ReadRevisionsAsync(string editor, CancellationToken cancellationToken) =>
            await _connection.Sql(
                    """
                    select editor_revisions
                    from workflow_definitions
                    where definition_id = @definition
                      and is_latest
                      and editor = @editor
                    """)
                .With("definition", _definitionId)
                .With("editor", editor)
                .ExecuteScalarAsync(cancellationToken) as Guid[] ?? [];

        /// <summary>Puts new content into the latest version, a draft.</summary>
        public async Task UpdateLatestAsync(WorkflowDocument document, string editor, IReadOnlyList<Guid> revisions, CancellationToken cancellationToken)
        {
            await Bind(
                    """
                    update workflow_definitions
                    set name = @name,
                        description = @description,
                        document = @document,
                        revision = gen_random_uuid(),
                        editor = @editor,
                        editor_revisions = @revisions
                    where definition_id = @definition
                      and is_latest
                    """, document, editor, revisions)
                .ExecuteNonQueryAsync(cancellationToken);
            await ReadAsync(cancellationToken);
        }

        /// <summary>True if it was published already.</summary>
        public async Task<bool> PublishLatestAsync(CancellationToken cancellationToken)
        {
            if (Latest!.Summary.IsPublished)
                return true;
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

        /// <summary>Whether a request or an instance refers to one of these versions; finished ones count, as they may be retried or viewed.</summary>
        public async Task<bool> HaveRequestsAsync(string[] ids, CancellationToken cancellationToken) =>
            (bool)(await _connection.Sql(
                    """
                    select exists (select from csv_data_table where workflow_version_id = any (@ids))
                        or exists (select from workflow_instances where definition_version_id = any (@ids))
                    """)
                .With("ids", ids)
                .ExecuteScalarAsync(cancellationToken))!;

        /// <summary>Deletes versions; the highest remaining one becomes the latest.</summary>
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
                    select {SummaryColumns}, document
                    from workflow_definitions
                    where definition_id = @definition
                    order by version
                    """)
                .With("definition", _definitionId);
            Versions = await ReadVersionsAsync(command, cancellationToken);
        }

        private Task<int> ExecuteAsync(string sql, CancellationToken cancellationToken) =>
            _connection.Sql(sql).With("definition", _definitionId).ExecuteNonQueryAsync(cancellationToken);

        private NpgsqlCommand Bind(string sql, WorkflowDocument document, string editor, IReadOnlyList<Guid> revisions) => _connection.Sql(sql)
            .With("definition", _definitionId)
            .With("name", document.Name)
            .With("description", NpgsqlDbType.Text, document.Description)
            .With("document", document.Text)
            .With("editor", editor)
            .With("revisions", revisions.ToArray());
    }
}
