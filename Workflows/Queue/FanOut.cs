using Darkroom.Data;
using Darkroom.Requests;
using Npgsql;

namespace Darkroom.Queue;

/// <summary>Makes a workflow's images claimable when its fan-out starts, in the transaction that creates its bookmark.</summary>
public static class FanOut
{
    /// <summary>
    /// The NOTIFY channel that tells feeders about claimable images. A request id as payload means that the request was cancelled and
    /// its images can be removed from Redis.
    /// </summary>
    public const string Channel = "darkroom_images";

    /// <summary>
    /// Makes the pending images of this run claimable, in the caller's transaction. If none are pending, the fan-out was not opened and nothing
    /// will resume the bookmark, so the caller should continue at once.
    /// </summary>
    /// <param name="connection">In a transaction.</param>
    /// <param name="request">The request.</param>
    /// <param name="run">The run.</param>
    /// <param name="offered">How many images to offer at once; the caller pushes them into Redis after the commit. The feeder offers the others.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <remarks>Call it before locking the instance's row: it locks the request's row, which comes first in the lock order.</remarks>
    /// <exception cref="InvalidOperationException">
    /// The request's counters disagree with its images, so the fan-out would never finish.
    /// </exception>
    internal static async Task<OpenedFanOut> OpenAsync(
        NpgsqlConnection connection, RequestId request, int run, int offered = 0, CancellationToken cancellationToken = default)
    {
        var (pending, unfinished) = await LockAndCountAsync(connection, request, run, cancellationToken);
        if (pending != unfinished)
            throw new InvalidOperationException(
                $"Request {request} has {unfinished} unfinished images according to its counters, but {pending} in the images table.");
        if (pending == 0)
            return new OpenedFanOut(0, []);

        await using var writes = new NpgsqlBatch(connection);
        RequestUpdates.OpenFanOut(writes, request);
        writes.Add($"notify {Channel}");
        if (offered > 0)
            ImageOffers.Offer(writes, [new FeedShare(request, offered)]);
        await using var reader = await writes.ExecuteReaderAsync(cancellationToken);
        return new OpenedFanOut(pending, await ImageOffers.ReadAsync(reader, cancellationToken));
    }

    /// <summary>Adds to a batch: tells feeders to remove a cancelled request's ids from Redis, once the transaction commits.</summary>
    internal static void AnnounceWithdrawal(NpgsqlBatch writes, RequestId request) =>
        writes.Add($"select pg_notify('{Channel}', @request)").With("request", request.ToString());

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

/// <summary>A fan-out that was opened.</summary>
/// <param name="Pending">Images that are to end in it; 0 if it was not opened.</param>
/// <param name="Offers">Those that may be claimed already.</param>
internal readonly record struct OpenedFanOut(int Pending, IReadOnlyList<ImageOffer> Offers);
