using Darkroom.Data;
using Darkroom.Leases;
using Darkroom.Requests;
using Darkroom.Runs;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Uploads;

/// <summary>
/// Uploads in progress, and the transaction that turns one into a request. An upload's row reserves its idempotency key, and lets the
/// sweeper find its objects if this process dies.
/// </summary>
public sealed partial class UploadStore(
    NpgsqlDataSource database, ProcessLease process, ActiveUploads active, TimeProvider time, ILogger<UploadStore> logger)
{
    /// <summary>How long to check whether a commit with a lost response succeeded, before telling the client to check for itself.</summary>
    private static readonly TimeSpan ResolveTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Begins an upload. Null if another upload with the same key is in progress.</summary>
    public async Task<Upload?> BeginAsync(OwnerId owner, string? idempotencyKey, CancellationToken cancellationToken)
    {
        var lease = process.Current;
        var upload = new Upload(new RequestId(Guid.CreateVersion7(time.GetUtcNow())), owner, idempotencyKey, lease.Id, lease.Held);
        // Mark it as active before its row exists: the sweeper takes over rows of this process that are not active.
        active.Add(upload.Id);
        try
        {
            await database.Sql(
                    """
                    insert into uploads (id, owner_id, idempotency_key, process_id)
                    values (@id, @owner, @key, @process)
                    """)
                .With("id", upload.Id.Value)
                .With("owner", owner.Value)
                .With("key", NpgsqlDbType.Text, idempotencyKey)
                .With("process", upload.Process)
                .ExecuteNonQueryAsync(cancellationToken);
            return upload;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            active.Remove(upload.Id);
            return null;
        }
        catch
        {
            active.Remove(upload.Id);
            throw;
        }
    }

    /// <summary>What the key was used for so far; null if for nothing.</summary>
    public async Task<KeyUse?> FindKeyAsync(OwnerId owner, string idempotencyKey, CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                """
                select request_id, digest, response
                from idempotency_keys
                where owner_id = @owner
                  and key = @key
                union all
                select id, null, null
                from uploads
                where owner_id = @owner
                  and idempotency_key = @key
                order by response nulls last
                limit 1
                """)
            .With("owner", owner.Value)
            .With("key", idempotencyKey);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        return await reader.IsDBNullAsync(2, cancellationToken)
            ? new KeyUse.InFlight()
            : new KeyUse.Answered(new RequestId(reader.GetGuid(0)), reader.GetFieldValue<byte[]>(1), reader.GetString(2));
    }

    /// <summary>Ends an upload that has stored nothing, and frees its key.</summary>
    public Task DiscardAsync(Upload upload, CancellationToken cancellationToken) => DiscardAsync(upload, _ => Task.CompletedTask, cancellationToken);

    /// <summary>
    /// Ends an upload that was not accepted and frees its key. The row is deleted first, which proves that the upload is still ours: its
    /// objects may otherwise belong to a request. It is only committed once they are gone, so a crash leaves the row to the sweeper.
    /// </summary>
    public async Task DiscardAsync(Upload upload, Func<CancellationToken, Task> deleteObjects, CancellationToken cancellationToken)
    {
        // First, so that the sweeper picks up the row if it cannot be deleted now.
        active.Remove(upload.Id);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await DeleteRowAsync(connection, upload, cancellationToken) == 0)
            return;
        await deleteObjects(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Leaves an upload to the sweeper because its objects could not be deleted.</summary>
    public void Abandon(Upload upload) => active.Remove(upload.Id);

    /// <summary>
    /// Accepts an upload in one transaction: replaces its row by the request, its workflow instance and the stored response.
    /// </summary>
    /// <param name="request">What was uploaded.</param>
    /// <param name="respond">Renders the response for the new request; stored for repeated uploads with the same key.</param>
    /// <param name="upload">The upload to accept.</param>
    /// <param name="cancellationToken">Ignored once the commit is sent.</param>
    public async Task<Acceptance> AcceptAsync(
        Upload upload, NewRequest request, Func<Request, string> respond, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);

        // Whoever deletes the row decides what happens to the upload: the sweeper uses the same row.
        if (await DeleteRowAsync(connection, upload, cancellationToken) == 0)
            return new Acceptance.Lost();
        await InsertRequestAsync(connection, request, cancellationToken);
        await WorkflowInstanceStore.InsertAsync(connection, request.Id, run: 1, request.Workflow, cancellationToken);
        var inserted = await RequestStore.FindAsync(connection, request.Owner, request.Id, cancellationToken)
            ?? throw new InvalidOperationException("The request that was just inserted was not found.");
        var response = respond(inserted);
        if (request.IdempotencyKey is { } key)
            await InsertResponseAsync(connection, request, key, response, cancellationToken);

        try
        {
            await transaction.CommitAsync(CancellationToken.None);
        }
        catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException)
        {
            LogAmbiguous(e, request.Id);
            return await ResolveAsync(upload, response);
        }

        active.Remove(upload.Id);
        return new Acceptance.Accepted(response);
    }

    /// <summary>
    /// Finds out whether a commit with a lost response succeeded. Locking the upload's row waits for a commit that is still in progress.
    /// If the row then exists, the transaction was rolled back; otherwise it was committed.
    /// </summary>
    private async Task<Acceptance> ResolveAsync(Upload upload, string response)
    {
        using var timeout = new CancellationTokenSource(ResolveTimeout, time);
        while (true)
        {
            try
            {
                if (await IsStillUploadAsync(upload, timeout.Token))
                    return new Acceptance.Lost();
                var exists = await database.Sql("select 1 from csv_data_table where id = @id")
                    .With("id", upload.Id.Value)
                    .ExecuteScalarAsync(timeout.Token) is not null;
                active.Remove(upload.Id);
                return exists ? new Acceptance.Accepted(response) : new Acceptance.Lost();
            }
            catch (Exception e) when (e is NpgsqlException or OperationCanceledException && timeout.IsCancellationRequested)
            {
                // No longer active: if it was not committed, the sweeper finds the row and cleans up.
                LogUnresolved(e, upload.Id);
                active.Remove(upload.Id);
                return new Acceptance.Unknown();
            }
            catch (NpgsqlException)
            {
                await WaitAsync(TimeSpan.FromMilliseconds(250), timeout.Token);
            }
        }
    }

    private async Task<bool> IsStillUploadAsync(Upload upload, CancellationToken cancellationToken) =>
        await database.Sql("select 1 from uploads where id = @id for update").With("id", upload.Id.Value).ExecuteScalarAsync(cancellationToken) is not null;

    private async Task WaitAsync(TimeSpan delay, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(delay, time, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The caller's next attempt fails at once because of the same token.
        }
    }

    // The process id is the fence: the sweeper writes its own id when it takes over an upload.
    private static Task<int> DeleteRowAsync(NpgsqlConnection connection, Upload upload, CancellationToken cancellationToken) =>
        connection.Sql(
                """
                delete from uploads
                where id = @id
                  and process_id = @process
                """)
            .With("id", upload.Id.Value)
            .With("process", upload.Process)
            .ExecuteNonQueryAsync(cancellationToken);

    private static Task<int> InsertRequestAsync(NpgsqlConnection connection, NewRequest request, CancellationToken cancellationToken) =>
        connection.Sql(
                """
                insert into csv_data_table (
                  id, csv_path, no_of_products, no_of_images, owner_id, file_name, csv_bytes, csv_sha256, dialect,
                  workflow_definition_id, workflow_version_id, webhook_url)
                values (
                  @id, @csv_path, @products, @images, @owner, @file_name, @bytes, @sha256, @dialect,
                  @definition, @version, @webhook_url)
                """)
            .With("id", request.Id.Value)
            .With("csv_path", request.CsvPath)
            .With("products", request.NoOfProducts)
            .With("images", request.NoOfImages)
            .With("owner", request.Owner.Value)
            .With("file_name", NpgsqlDbType.Text, request.FileName)
            .With("bytes", request.CsvBytes)
            .With("sha256", request.CsvSha256)
            .With("dialect", NpgsqlDbType.Jsonb, request.Dialect)
            .With("definition", request.Workflow.Summary.DefinitionId)
            .With("version", request.Workflow.Summary.Id)
            .With("webhook_url", NpgsqlDbType.Text, request.WebhookUrl)
            .ExecuteNonQueryAsync(cancellationToken);

    private static Task<int> InsertResponseAsync(
        NpgsqlConnection connection, NewRequest request, IdempotencyKey key, string response, CancellationToken cancellationToken) =>
        connection.Sql(
                """
                insert into idempotency_keys (owner_id, key, digest, request_id, response)
                values (@owner, @key, @digest, @request, @response)
                """)
            .With("owner", request.Owner.Value)
            .With("key", key.Key)
            .With("digest", key.Digest)
            .With("request", request.Id.Value)
            .With("response", response)
            .ExecuteNonQueryAsync(cancellationToken);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The connection was lost while committing request {Request}; checking whether it was committed")]
    private partial void LogAmbiguous(Exception exception, RequestId request);

    [LoggerMessage(Level = LogLevel.Error, Message = "Could not determine whether request {Request} was committed; the client has to check")]
    private partial void LogUnresolved(Exception exception, RequestId request);
}
