using Darkroom.Bookmarks;
using Darkroom.Data;
using Darkroom.Engine.Bodies;
using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Queue;

/// <summary>
/// Writes a batch of outcomes, with everything that follows from them, in one transaction and one round trip.
/// </summary>
internal sealed class OutcomeStore(NpgsqlDataSource database)
{
    // While the row of one request is locked for long, as by a retry of a million images, those of the others must not stay locked with it.
    private const string LimitLockWait = "select set_config('lock_timeout', '1s', true)";

    // The requests' rows come first in the lock order, in ascending order of ids. Locking them also serializes recorders of the same request, so
    // that each continues from the previous one's counters: the next statement's snapshot is taken after the locks are acquired.
    private const string LockRequests =
        """
        select 1
        from csv_data_table
        where id = any(@requests)
        order by id
        for no key update
        """;

    // The counters follow the rows that changed, not the rows that were sent: an outcome with an old fence, or one already recorded by
    // a commit whose response was lost, is not counted. Images are found by their ids alone: given their request's id, or the state as it is
    // indexed, the planner may read the index of the whole request or of all running images for each outcome.
    private const string RecordOutcomes =
        """
        with outcome as (
          select *
          from unnest(
            @request_ids, @runs, @ids, @fences, @states::image_state[], @delays, @refunds, @preemptions, @codes, @messages, @journals, @paths,
            @original_keys, @original_types, @original_bytes, @original_widths, @original_heights, @original_digests,
            @output_keys, @output_types, @output_bytes, @output_widths, @output_heights, @output_digests
          ) as o (
            request_id, run, id, fence, state, delay, refund, preemption, code, message, journal, path,
            original_key, original_type, original_bytes, original_width, original_height, original_sha256,
            output_key, output_type, output_bytes, output_width, output_height, output_sha256)
        ),
        request as (
          select id, run, revision + 1 as revision
          from csv_data_table
          where id = any(@requests)
            and status = 'processing'
        ),
        recorded as (
          update images i
          set state = o.state,
              owner = null,
              revision = r.revision,
              not_before = now() + o.delay,
              attempts = i.attempts - o.refund,
              preemptions = i.preemptions + o.preemption,
              error_code = o.code,
              error_message = o.message,
              journal = o.journal,
              original_key = o.original_key,
              original_type = o.original_type,
              original_bytes = o.original_bytes,
              original_width = o.original_width,
              original_height = o.original_height,
              original_sha256 = o.original_sha256,
              output_key = o.output_key,
              output_type = o.output_type,
              output_bytes = o.output_bytes,
              output_width = o.output_width,
              output_height = o.output_height,
              output_sha256 = o.output_sha256,
              finished_at = case when o.state <> 'waiting' then now() end
          from outcome o, request r
          where r.id = o.request_id
            and r.run = o.run
            and i.id = o.id
            and i.run = o.run
            and i.fence = o.fence
            and i.state::text = 'running'
          returning i.id, i.request_id, i.run, i.state, i.original_bytes, i.output_bytes, o.path
        ),
        change as (
          select request_id,
                 count(*) filter (where state = 'succeeded') as succeeded,
                 count(*) filter (where state = 'failed') as failed,
                 coalesce(sum(original_bytes) filter (where state = 'succeeded'), 0) as bytes_in,
                 coalesce(sum(output_bytes) filter (where state = 'succeeded'), 0) as bytes_out
          from recorded
          group by request_id
        ),
        counted as (
          update csv_data_table r
          set images_succeeded = r.images_succeeded + c.succeeded,
              images_failed = r.images_failed + c.failed,
              bytes_in = r.bytes_in + c.bytes_in,
              bytes_out = r.bytes_out + c.bytes_out,
              processing_percentage = greatest(
                r.processing_percentage,
                least(99, 100 * (r.images_succeeded + r.images_failed + c.succeeded + c.failed) / r.no_of_images)),
              revision = r.revision + 1,
              updated_at = now()
          from change c
          where r.id = c.request_id
        ),
        by_path as (
          select request_id, run, path, count(*) as images
          from recorded
          where path is not null
          group by request_id, run, path
        ),
        activity_counts as (
          insert into fan_out_counts as f (instance_id, node_id, completed, faulted, retried)
          select w.id,
                 p.node_id,
                 coalesce(sum(t.images) filter (where p.outcome = 'completed'), 0),
                 coalesce(sum(t.images) filter (where p.outcome = 'faulted'), 0),
                 coalesce(sum(t.images) filter (where p.outcome = 'retried'), 0)
          from by_path t
          join unnest(@path_numbers, @path_nodes, @path_ends) as p (path, node_id, outcome) on p.path = t.path
          join workflow_instances w on w.request_id = t.request_id and w.run = t.run
          group by w.id, p.node_id
          on conflict (instance_id, node_id) do update
          set completed = f.completed + excluded.completed,
              faulted = f.faulted + excluded.faulted,
              retried = f.retried + excluded.retried,
              last_at = now()
        )
        select id
        from recorded
        """;

    // The transaction that records a request's last outcome also resumes the workflow, so the wake-up is neither lost nor early. It does not
    // touch the instance's row, whose lock comes before those of the images.
    private const string Resume =
        $"""
        with closed as (
          update csv_data_table
          set fan_out_open = false
          where id = any(@requests)
            and status = 'processing'
            and fan_out_open
            and images_succeeded + images_failed = no_of_images
          returning id, run, images_succeeded, images_failed
        ),
        resumed as (
          insert into resumptions (bookmark_id, instance_id, input)
          select b.id, b.instance_id, jsonb_build_object('succeeded', c.images_succeeded, 'failed', c.images_failed)
          from closed c
          join workflow_instances i on i.request_id = c.id and i.run = c.run
          join bookmarks b on b.instance_id = i.id and b.name = '{FanOutBookmark.Name}'
          on conflict do nothing
          returning instance_id
        )
        select pg_notify('{Resumption.Channel}', '')
        from resumed
        """;

    /// <summary>Returns the images that this call changed.</summary>
    /// <exception cref="PostgresException">
    /// Among others <see cref="PostgresErrorCodes.LockNotAvailable"/>, if outcomes of several requests had to wait for the row of one.
    /// </exception>
    public async Task<HashSet<ImageId>> RecordAsync(IReadOnlyList<ImageOutcome> outcomes, CancellationToken cancellationToken)
    {
        var requests = outcomes.Select(outcome => outcome.Image.RequestId.Value).Distinct().ToArray();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        // Without an explicit transaction, a batch is its own transaction.
        await using var batch = new NpgsqlBatch(connection);
        if (requests.Length > 1)
            batch.Add(LimitLockWait);
        batch.Add(LockRequests).With("requests", NpgsqlDbType.Array | NpgsqlDbType.Uuid, requests);
        var record = batch.Add(RecordOutcomes).With("requests", NpgsqlDbType.Array | NpgsqlDbType.Uuid, requests);
        OutcomeColumns.Of(outcomes).Bind(record.Parameters);
        batch.Add(Resume).With("requests", NpgsqlDbType.Array | NpgsqlDbType.Uuid, requests);

        var recorded = new HashSet<ImageId>(outcomes.Count);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        for (var before = batch.BatchCommands.IndexOf(record); before > 0; before--)
            await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            recorded.Add(new ImageId(reader.GetInt64(0)));
        // Read to the end, so that an error in the last statement or the commit is thrown here.
        while (await reader.NextResultAsync(cancellationToken))
        {
        }
        return recorded;
    }
}
