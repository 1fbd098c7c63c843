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

    /// <summary>Begins an upload, unless its idempotency key has been used.</summary>
    public async Task<UploadStart> BeginAsync(OwnerId owner, string? idempotencyKey, CancellationToken cancellationToken)
    {
        var lease = process.Current;
        var upload = new Upload(new RequestId(Guid.CreateVersion7(time.GetUtcNow())), owner, idempotencyKey, lease.Id, lease.Held);
        // Mark it as active before its row exists: the sweeper takes over rows of this process that are not active.
        active.Add(upload.Id);
        UploadStart? start = null;
        try
        {
            start = await BeginAsync(upload, cancellationToken);
            return start;
        }
        finally
        {
            if (start is not UploadStart.Begun)
                active.Remove(upload.Id);
        }
    }

    /// <summary>
    /// Inserts the upload's row, which reserves its key, and looks up what the key was used for, in one round trip and transaction. While
    /// the row exists, no other upload with the same key can be accepted.
    /// </summary>
    private async Task<UploadStart> BeginAsync(Upload upload, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.Add(
                """
                insert into uploads (id, owner_id, idempotency_key, process_id)
                values (@id, @owner, @key, @process)
                on conflict do nothing
                returning id
                """)
            .With("id", upload.Id.Value)
            .With("owner", upload.Owner.Value)
            .With("key", NpgsqlDbType.Text, upload.IdempotencyKey)
            .With("process", upload.Process);
        batch.Add(
                """
                delete from uploads u
                using idempotency_keys k
                where u.id = @id
                  and k.owner_id = u.owner_id
                  and k.key = u.idempotency_key
                """)
            .With("id", upload.Id.Value);
        batch.Add("select request_id, digest, response from idempotency_keys where owner_id = @owner and key = @key")
            .With("owner", upload.Owner.Value)
            .With("key", NpgsqlDbType.Text, upload.IdempotencyKey);

        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        UploadStart start = await reader.ReadAsync(cancellationToken) ? new UploadStart.Begun(upload) : new UploadStart.InFlight();
        await reader.NextResultAsync(cancellationToken);
        if (await reader.ReadAsync(cancellationToken))
            start = new UploadStart.Repeated(new RequestId(reader.GetGuid(0)), reader.GetFieldValue<byte[]>(1), reader.GetString(2));
        return start;
    }

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
        await using var batch = new NpgsqlBatch(connection, transaction);
        DeleteRow(batch, upload);
        if (await batch.ExecuteScalarAsync(cancellationToken) is null)
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
        // Rolled back if it is not committed: the pool takes no connection back in a transaction.
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        if (await ReplaceAsync(connection, upload, request, cancellationToken) is not { } inserted)
            return new Acceptance.Lost();
        var response = respond(inserted);
        try
        {
            await CommitAsync(connection, request, response);
        }
        catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException)
        {
            LogAmbiguous(e, request.Id);
            return await ResolveAsync(upload, response);
        }

        active.Remove(upload.Id);
        return new Acceptance.Accepted(response);
    }

    /// <summary>Begins a transaction and replaces the upload's row by the request, in one round trip; null if the row is gone.</summary>
    private static async Task<Request?> ReplaceAsync(
        NpgsqlConnection connection, Upload upload, NewRequest request, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.Add("begin");
        // Whoever deletes the row decides what happens to the upload: the sweeper uses the same row.
        DeleteRow(batch, upload);
        InsertRequest(batch, request);
        WorkflowInstanceStore.Insert(batch, request.Id, run: 1, request.Workflow);
        RequestStore.Find(batch, request.Owner, request.Id);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        await reader.NextResultAsync(cancellationToken);
        return await RequestStore.ReadAsync(reader, cancellationToken)
            ?? throw new InvalidOperationException("The request that was just inserted was not found.");
    }

    private static async Task CommitAsync(NpgsqlConnection connection, NewRequest request, string response)
    {
        await using var batch = new NpgsqlBatch(connection);
        if (request.IdempotencyKey is { } key)
            InsertResponse(batch, request, key, response);
        batch.Add("commit");
        await batch.ExecuteNonQueryAsync(CancellationToken.None);
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

    /// <summary>Adds to a batch: deletes the row, and returns its id if it was still ours.</summary>
    // The process id is the fence: the sweeper writes its own id when it takes over an upload.
    private static void DeleteRow(NpgsqlBatch batch, Upload upload) =>
        batch.Add(
                """
                delete from uploads
                where id = @id
                  and process_id = @process
                returning id
                """)
            .With("id", upload.Id.Value)
            .With("process", upload.Process);

    private static void InsertRequest(NpgsqlBatch batch, NewRequest request) =>
        batch.Add(
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
            .With("webhook_url", NpgsqlDbType.Text, request.WebhookUrl);

    private static void InsertResponse(NpgsqlBatch batch, NewRequest request, IdempotencyKey key, string response) =>
        batch.Add(
                """
                insert into idempotency_keys (owner_id, key, digest, request_id, response)
                values (@owner, @key, @digest, @request, @response)
                """)
            .With("owner", request.Owner.Value)
            .With("key", key.Key)
            .With("digest", key.Digest)
            .With("request", request.Id.Value)
            .With("response", response);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The connection was lost while committing request {Request}; checking whether it was committed")]
    private partial void LogAmbiguous(Exception exception, RequestId request);

    [LoggerMessage(Level = LogLevel.Error, Message = "Could not determine whether request {Request} was committed; the client has to check")]
    private partial void LogUnresolved(Exception exception, RequestId request);
}
