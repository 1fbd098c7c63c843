using Darkroom.Data;
using Darkroom.Requests;
using Darkroom.Runs;
using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Retention;

/// <summary>
/// Removes the history of finished runs. The results stay: status, images, their errors and the output CSV belong to the request, not to
/// the workflow instance that produced them.
/// </summary>
public sealed class InstanceRemover(NpgsqlDataSource database)
{
    // The journals of failed images are cleared in slices, so that no transaction locks their rows for long.
    private const int Slice = 5_000;

    /// <summary>Deletes an instance with its journal, if it has finished.</summary>
    public async Task<RemovalResult> DeleteAsync(InstanceScope scope, Guid id, CancellationToken cancellationToken)
    {
        if (await FindAsync(scope, id, cancellationToken) is not { } place)
            return RemovalResult.NotFound;
        if (!place.Finished)
            return RemovalResult.StillRunning;
        await ClearImagesAsync(place, cancellationToken);

        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await LockRequestAsync(connection, place, cancellationToken);
        await connection.Sql(
                """
                delete from fan_out_counts where instance_id = @id;
                delete from workflow_instances where id = @id and status = 'Finished'
                """)
            .With("id", id)
            .ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return RemovalResult.Removed;
    }

    /// <summary>Instances that finished longer ago than <paramref name="age"/> and still have a journal, oldest first.</summary>
    public async Task<IReadOnlyList<Guid>> ListExpiredAsync(TimeSpan age, int limit, CancellationToken cancellationToken)
    {
        var ids = new List<Guid>();
        await using var command = database.Sql(
                """
                select id
                from workflow_instances
                where finished_at < now() - @age
                  and journal_removed_at is null
                order by finished_at
                limit @limit
                """)
            .With("age", age)
            .With("limit", limit);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            ids.Add(reader.GetGuid(0));
        return ids;
    }

    /// <summary>Removes a finished instance's journal but keeps the instance. Safe if another process does the same.</summary>
    public async Task RemoveJournalAsync(Guid id, CancellationToken cancellationToken)
    {
        if (await FindAsync(InstanceScope.Everyone, id, cancellationToken) is not { Finished: true } place)
            return;
        await ClearImagesAsync(place, cancellationToken);

        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await LockRequestAsync(connection, place, cancellationToken);
        await connection.Sql(
                """
                update workflow_instances
                set journal_removed_at = now(),
                    updated_at = now()
                where id = @id
                  and journal_removed_at is null;

                delete from activity_executions where instance_id = @id;
                delete from fan_out_counts where instance_id = @id
                """)
            .With("id", id)
            .ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private async Task<Place?> FindAsync(InstanceScope scope, Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                """
                select i.id, i.request_id, i.run, i.status = 'Finished'
                from workflow_instances i
                join csv_data_table r on r.id = i.request_id
                where i.id = @id
                  and (@owner is null or r.owner_id = @owner)
                """)
            .With("id", id)
            .With("owner", NpgsqlDbType.Uuid, scope.Owner?.Value);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        return new Place(reader.GetGuid(0), new RequestId(reader.GetGuid(1)), reader.GetInt32(2), reader.GetBoolean(3));
    }

    /// <summary>Removes the journals of failed images. Their errors stay.</summary>
    private async Task ClearImagesAsync(Place place, CancellationToken cancellationToken)
    {
        while (await ClearSliceAsync(place, cancellationToken) == Slice)
        {
            // Each slice is its own transaction.
        }
    }

    private async Task<int> ClearSliceAsync(Place place, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await LockRequestAsync(connection, place, cancellationToken);
        var cleared = await connection.Sql(
                """
                update images
                set journal = null
                where id in (
                  select id
                  from images
                  where request_id = @request
                    and run = @run
                    and state = 'failed'
                    and journal is not null
                  limit @slice)
                """)
            .With("request", place.Request.Value)
            .With("run", place.Run)
            .With("slice", Slice)
            .ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return cleared;
    }

    private static async Task LockRequestAsync(NpgsqlConnection connection, Place place, CancellationToken cancellationToken) =>
        await connection.Sql("select from csv_data_table where id = @request for no key update")
            .With("request", place.Request.Value)
            .ExecuteNonQueryAsync(cancellationToken);

    private sealed record Place(Guid Id, RequestId Request, int Run, bool Finished);
}

/// <summary>The result of deleting an instance.</summary>
public enum RemovalResult
{
    Removed,

    /// <summary>No such instance, or not this owner's.</summary>
    NotFound,

    /// <summary>The instance is still running; cancel it first.</summary>
    StillRunning,
}
