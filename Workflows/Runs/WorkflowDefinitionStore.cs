using Darkroom.Data;
using Darkroom.Engine.Definitions;
using Npgsql;

namespace Darkroom.Runs;

/// <summary>Finds what the next request runs, and seeds workflow definitions.</summary>
public sealed class WorkflowDefinitionStore(NpgsqlDataSource database)
{
    /// <summary>The version that the next request of this workflow runs, or null if none is published under this id.</summary>
    public async Task<WorkflowDefinition?> FindPublishedAsync(string definitionId, CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                """
                select id, definition_id, version, name, document
                from workflow_definitions
                where definition_id = @definition
                  and is_published
                """)
            .With("definition", definitionId);
        return await ReadOneAsync(command, cancellationToken);
    }

    /// <summary>Inserts version 1, published, unless the definition already exists in any version. True if it was inserted.</summary>
    public async Task<bool> SeedAsync(WorkflowDefinition definition, CancellationToken cancellationToken)
    {
        var inserted = await database.Sql(
                """
                insert into workflow_definitions (id, definition_id, version, name, description, is_latest, is_published, was_published, document)
                select @id, @definition, @version, @name, @document::jsonb ->> 'description', true, true, true, @document
                where not exists (select from workflow_definitions where definition_id = @definition)
                on conflict do nothing
                """)
            .With("id", definition.VersionId)
            .With("definition", definition.DefinitionId)
            .With("version", definition.Version)
            .With("name", definition.Name)
            .With("document", definition.Document)
            .ExecuteNonQueryAsync(cancellationToken);
        return inserted == 1;
    }

    private static async Task<WorkflowDefinition?> ReadOneAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken)) return null;
        return new WorkflowDefinition(
            reader.GetString(0), reader.GetString(1), reader.GetInt32(2), reader.GetString(3), reader.GetString(4));
    }
}
