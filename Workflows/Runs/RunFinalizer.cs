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
    /// <param name="writes">
    /// In that transaction: what it holds, which must return no rows, is sent; what it holds then is still to be sent, before the commit.
    /// </param>
    /// <param name="request">The request.</param>
    /// <param name="run">The run.</param>
    /// <param name="subStatus">How the instance ended: Finished, Faulted or Cancelled.</param>
    /// <param name="state">The instance's last state.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The request's final state; not true until the caller commits.</returns>
    /// <exception cref="InvalidOperationException">The request is in another run.</exception>
    internal async Task<RequestStatus> EndAsync(
        NpgsqlBatch writes, RequestId request, int run, string subStatus, WorkflowState state, CancellationToken cancellationToken)
    {
        var totals = await ReadTotalsAsync(writes, request, cancellationToken);
        var status = RequestStatuses.AtEnd(subStatus, totals.Images, totals.Succeeded, totals.OutputRun == run);
        var error = state.Incidents.Count > 0 ? state.Incidents[^1] : null;
        writes.Add(
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
            .With("error_message", NpgsqlDbType.Text, error?.Message);
        RequestStore.Find(writes, totals.Owner, request);
        Request ended;
        await using (var reader = await writes.ExecuteReaderAsync(cancellationToken))
            ended = (await RequestStore.ReadAsync(reader, cancellationToken))!;
        writes.BatchCommands.Clear();
        if (ended.Run != run)
            throw new InvalidOperationException($"Request {request} is in run {ended.Run}: run {run} cannot end it.");

        await webhooks.InsertAsync(writes, ended, state.Webhooks, cancellationToken);
        return status;
    }

    private static async Task<Totals> ReadTotalsAsync(NpgsqlBatch writes, RequestId request, CancellationToken cancellationToken)
    {
        writes.Add(
                """
                select owner_id, no_of_images, images_succeeded, output_run
                from csv_data_table
                where id = @request
                """)
            .With("request", request.Value);
        Totals totals;
        await using (var reader = await writes.ExecuteReaderAsync(cancellationToken))
        {
            await reader.ReadAsync(cancellationToken);
            totals = new Totals(new OwnerId(reader.GetGuid(0)), reader.GetInt32(1), reader.GetInt32(2), reader.IntOrNull(3));
        }

        writes.BatchCommands.Clear();
        return totals;
    }

    private sealed record Totals(OwnerId Owner, int Images, int Succeeded, int? OutputRun);
}
