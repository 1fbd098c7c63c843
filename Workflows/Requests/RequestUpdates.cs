using Darkroom.Data;
using Npgsql;

namespace Darkroom.Requests;

/// <summary>
/// What happens to a request between its acceptance and its end. Who else writes <c>csv_data_table</c> is listed at the table.
/// </summary>
internal static class RequestUpdates
{
    /// <summary>Adds to a batch: marks the request as being processed; does nothing after the first time.</summary>
    public static void BeginProcessing(NpgsqlBatch batch, RequestId request) =>
        batch.Add(
                """
                update csv_data_table
                set status = 'processing',
                    started_at = coalesce(started_at, now()),
                    updated_at = now(),
                    revision = revision + 1
                where id = @request
                  and status = 'created'
                """)
            .With("request", request.Value);

    /// <summary>Keeps the reason, for the activity that fails the request.</summary>
    public static async Task RefuseCsvAsync(
        NpgsqlConnection connection, RequestId request, CsvRejection error, CancellationToken cancellationToken) =>
        await connection.Sql("update csv_data_table set error_code = @code, error_message = @message where id = @request")
            .With("request", request.Value)
            .With("code", error.Code)
            .With("message", error.Message)
            .ExecuteNonQueryAsync(cancellationToken);

    /// <summary>Gives the workflow's reason for failing the request, unless an earlier activity gave one.</summary>
    public static async Task RefuseByWorkflowAsync(
        NpgsqlConnection connection, RequestId request, string message, CancellationToken cancellationToken) =>
        await connection.Sql(
                """
                update csv_data_table
                set error_code = coalesce(error_code, 'refused_by_workflow'),
                    error_message = coalesce(error_message, @message)
                where id = @request
                """)
            .With("request", request.Value)
            .With("message", message)
            .ExecuteNonQueryAsync(cancellationToken);

    /// <summary>Adds to a batch: makes the request's waiting images claimable. The recorder closes the fan-out again, with the last outcome.</summary>
    public static void OpenFanOut(NpgsqlBatch batch, RequestId request) =>
        batch.Add(
                """
                update csv_data_table
                set fan_out_open = true,
                    updated_at = now()
                where id = @request
                """)
            .With("request", request.Value);

    /// <summary>Makes an output object the request's output CSV.</summary>
    public static async Task PublishOutputAsync(
        NpgsqlConnection connection, RequestId request, int run, string key, CancellationToken cancellationToken) =>
        await connection.Sql(
                """
                update csv_data_table
                set output_path = @key,
                    output_run = @run,
                    updated_at = now(),
                    revision = revision + 1
                where id = @request
                """)
            .With("request", request.Value)
            .With("run", run)
            .With("key", key)
            .ExecuteNonQueryAsync(cancellationToken);

    /// <summary>Starts the next run: what failed is open again, what succeeded stays counted. Returns the revision.</summary>
    public static async Task<long> BeginNextRunAsync(
        NpgsqlConnection connection, RequestId request, int run, CancellationToken cancellationToken) =>
        (long)(await connection.Sql(
                """
                update csv_data_table
                set status = 'processing',
                    run = @run,
                    images_failed = 0,
                    processing_percentage = least(99, images_succeeded * 100::bigint / no_of_images),
                    error_code = null,
                    error_message = null,
                    finished_at = null,
                    updated_at = now(),
                    revision = revision + 1
                where id = @request
                returning revision
                """)
            .With("request", request.Value)
            .With("run", run)
            .ExecuteScalarAsync(cancellationToken))!;

    /// <summary>Notes that the objects of the run that ended then were swept. A later run makes them due again.</summary>
    public static async Task MarkSweptAsync(
        NpgsqlDataSource database, RequestId request, DateTime finishedAt, CancellationToken cancellationToken) =>
        await database.Sql("update csv_data_table set swept_at = now() where id = @request and finished_at = @finished_at")
            .With("request", request.Value)
            .With("finished_at", finishedAt)
            .ExecuteNonQueryAsync(cancellationToken);
}

/// <summary>Why a request's CSV is not processed.</summary>
internal sealed record CsvRejection(string Code, string Message);
