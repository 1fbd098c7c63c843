using Darkroom.Data;
using Darkroom.Requests;
using Npgsql;

namespace Darkroom.Queue;

/// <summary>What the workflow's fan-out does to images: it opens the gate, in the same commit as its bookmark.</summary>
public static class FanOut
{
    /// <summary>
    /// The NOTIFY channel on which claimable images are announced to feeders. With a request's id as its payload: that request ended
    /// early, and what lies in Redis of it is of no use.
    /// </summary>
    public const string Channel = "darkroom_images";

    /// <summary>
    /// Makes the pending images of this run claimable, in the caller's transaction. Returns how many are pending; with 0 nothing was
    /// opened, nothing will resume the bookmark, and the caller goes on at once.
    /// </summary>
    /// <remarks>Call it before the instance's row is locked: it locks the request's row, which comes first in the lock order.</remarks>
    /// <exception cref="InvalidOperationException">The request's counters disagree with its images: waiting for them would never end.</exception>
    public static async Task<int> OpenAsync(
        NpgsqlConnection connection, RequestId request, int run, CancellationToken cancellationToken = default)
    {
        var (pending, unfinished) = await LockAndCountAsync(connection, request, run, cancellationToken);
        if (pending != unfinished)
            throw new InvalidOperationException(
                $"Request {request} has {unfinished} unfinished images by its counters and {pending} in its table.");
        if (pending == 0) return 0;

        await RequestUpdates.OpenFanOutAsync(connection, request, cancellationToken);
        await connection.Sql($"select pg_notify('{Channel}', '')").ExecuteNonQueryAsync(cancellationToken);
        return pending;
    }

    /// <summary>Lets feeders take a cancelled request's ids out of Redis, once the caller's transaction is committed.</summary>
    internal static async Task AnnounceWithdrawalAsync(NpgsqlConnection connection, RequestId request, CancellationToken cancellationToken) =>
        await connection.Sql($"select pg_notify('{Channel}', @request)").With("request", request.ToString()).ExecuteNonQueryAsync(cancellationToken);

    private static async Task<(int Pending, int Unfinished)> LockAndCountAsync(
        NpgsqlConnection connection, RequestId request, int run, CancellationToken cancellationToken)
    {
        await using var command = connection.Sql(
                """
                select no_of_images - images_succeeded - images_failed,
                       (select count(*)::int
                        from images i
                        where i.request_id = r.id
                          and i.state in ('waiting', 'offered', 'running'))
                from csv_data_table r
                where id = @request
                  and run = @run
                  and status = 'processing'
                for update
                """)
            .With("request", request.Value)
            .With("run", run);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            throw new InvalidOperationException($"Run {run} of request {request} is not being processed.");
        return (reader.GetInt32(1), reader.GetInt32(0));
    }
}
