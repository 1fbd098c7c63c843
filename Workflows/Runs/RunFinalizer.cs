using Darkroom.Data;
using Darkroom.Engine.Flow;
using Darkroom.Requests;
using Darkroom.Webhooks;
using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Runs;

/// <summary>
/// Sets a request's final state. Nothing else does, and it works in the transaction that ends the workflow
/// instance, together with its webhooks: neither is visible without the other, and an edited workflow cannot leave them out.
/// </summary>
public sealed class RunFinalizer(WebhookOutbox webhooks)
{
    /// <summary>Ends a run whose request and instance rows the caller has locked.</summary>
    /// <param name="subStatus">How the instance ended: Finished, Faulted or Cancelled.</param>
    /// <returns>The request's final state; not true until the caller commits.</returns>
    internal async Task<RequestStatus> EndAsync(
        NpgsqlConnection connection, RequestId request, int run, string subStatus, WorkflowState state, CancellationToken cancellationToken)
    {
        var totals = await ReadTotalsAsync(connection, request, cancellationToken);
        var status = RequestStatuses.AtEnd(subStatus, totals.Images, totals.Succeeded, totals.OutputRun == run);
        var error = state.Incidents.Count > 0 ? state.Incidents[^1] : null;
        await connection.Sql(
                """
                update csv_data_table
                set status = @status::status_enum,
                    processing_percentage = case when @whole then 100 else processing_percentage end,
                    fan_out_open = false,
                    error_code = coalesce(@error_code, error_code),
                    error_message = coalesce(@error_message, error_message),
                    finished_at = now(),
                    updated_at = now(),
                    revision = revision + 1
                where id = @request
                """)
            .With("request", request.Value)
            .With("status", status.ToText())
            .With("whole", status is RequestStatus.Completed or RequestStatus.CompletedWithErrors)
            .With("error_code", NpgsqlDbType.Text, error?.Code)
            .With("error_message", NpgsqlDbType.Text, error?.Message)
            .ExecuteNonQueryAsync(cancellationToken);

        await webhooks.InsertAsync(connection, totals.Owner, request, run, state.Webhooks, cancellationToken);
        return status;
    }

    private static async Task<Totals> ReadTotalsAsync(NpgsqlConnection connection, RequestId request, CancellationToken cancellationToken)
    {
        await using var command = connection.Sql(
                """
                select owner_id, no_of_images, images_succeeded, output_run
                from csv_data_table
                where id = @request
                """)
            .With("request", request.Value);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new Totals(
            new OwnerId(reader.GetGuid(0)), reader.GetInt32(1), reader.GetInt32(2), reader.IntOrNull(3));
    }

    private sealed record Totals(OwnerId Owner, int Images, int Succeeded, int? OutputRun);
}
