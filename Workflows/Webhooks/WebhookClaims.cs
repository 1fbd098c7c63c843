using Darkroom.Data;
using Darkroom.Leases;
using Darkroom.Requests;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Webhooks;

/// <summary>The sending side of the outbox: claims due deliveries, records attempts, and frees the claims of dead processes.</summary>
public sealed class WebhookClaims(
    NpgsqlDataSource database, TimeProvider time, IOptions<WebhookOptions> options, IOptions<ProcessLeaseOptions> lease)
{
    /// <summary>
    /// Claims due deliveries, longest overdue first, within the remaining capacity of each receiver and owner: neither a receiver with a
    /// thousand deliveries nor an owner with a thousand receivers can use up all slots.
    /// </summary>
    public async Task<IReadOnlyList<ClaimedDelivery>> ClaimAsync(Guid process, DispatchCapacity room, CancellationToken cancellationToken)
    {
        var claimed = new List<ClaimedDelivery>();
        await using var command = database.Sql(
                """
                with recursive receivers as (
                  -- A loose index scan: one step per receiver, regardless of its backlog.
                  (select receiver
                   from webhook_deliveries
                   where state = 'pending' and owner is null
                   order by receiver
                   limit 1)
                  union all
                  select (select d.receiver
                          from webhook_deliveries d
                          where d.state = 'pending' and d.owner is null and d.receiver > r.receiver
                          order by d.receiver
                          limit 1)
                  from receivers r
                  where r.receiver is not null
                ),
                due as (
                  select d.id, d.owner_id, d.next_attempt_at
                  from receivers r
                  left join unnest(@receivers, @receiver_room) as known (receiver, room) on known.receiver = r.receiver
                  cross join lateral (
                    select id, owner_id, next_attempt_at
                    from webhook_deliveries
                    where receiver = r.receiver
                      and state = 'pending'
                      and owner is null
                      and next_attempt_at <= now()
                    order by next_attempt_at
                    limit coalesce(known.room, @per_receiver)
                  ) d
                ),
                placed as (
                  select id, owner_id, next_attempt_at, row_number() over (partition by owner_id order by next_attempt_at, id) as place
                  from due
                ),
                picked as (
                  select d.id
                  from placed p
                  left join unnest(@owners, @owner_room) as known (owner_id, room) on known.owner_id = p.owner_id
                  join webhook_deliveries d on d.id = p.id
                  where p.place <= coalesce(known.room, @per_owner)
                    and d.state = 'pending'
                    and d.owner is null
                  order by p.next_attempt_at, d.id
                  limit @total
                  for update of d skip locked
                )
                update webhook_deliveries d
                set owner = @process,
                    fence = fence + 1
                from picked
                where d.id = picked.id
                returning d.id, d.owner_id, d.request_id, d.url, d.receiver, d.body, d.attempts - d.schedule_from, d.fence, d.traceparent, now()
                """)
            .With("process", process)
            .With("total", room.Total)
            .With("per_receiver", options.Value.MaxConcurrentPerReceiver)
            .With("receivers", room.Receivers.Keys.ToArray())
            .With("receiver_room", room.Receivers.Values.ToArray())
            .With("per_owner", options.Value.MaxConcurrentPerOwner)
            .With("owners", room.Owners.Keys.Select(owner => owner.Value).ToArray())
            .With("owner_room", room.Owners.Values.ToArray());
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            claimed.Add(new ClaimedDelivery
            {
                Id = reader.GetString(0),
                Owner = new OwnerId(reader.GetGuid(1)),
                Request = new RequestId(reader.GetGuid(2)),
                Url = reader.GetString(3),
                Receiver = reader.GetString(4),
                Body = reader.GetString(5),
                Failed = reader.GetInt32(6),
                Process = process,
                Fence = reader.GetInt64(7),
                TraceParent = reader.TextOrNull(8),
                ClaimedAt = reader.GetFieldValue<DateTimeOffset>(9),
                ClaimedTimestamp = time.GetTimestamp(),
            });
        }

        return claimed;
    }

    /// <summary>Time until the next delivery is due; null if there is none.</summary>
    public async Task<TimeSpan?> NextDueAsync(CancellationToken cancellationToken) =>
        await database.Sql(
                """
                select next_attempt_at - now()
                from webhook_deliveries
                where state = 'pending'
                  and owner is null
                  and next_attempt_at > now()
                order by next_attempt_at
                limit 1
                """)
            .ExecuteScalarAsync(cancellationToken) as TimeSpan?;

    /// <summary>Records an attempt: delivered, to be retried, given up, or endpoint disabled. False if the claim was lost.</summary>
    /// <param name="delay">Delay before the next attempt; null for none.</param>
    public async Task<bool> RecordAsync(ClaimedDelivery delivery, WebhookOutcome outcome, TimeSpan? delay, CancellationToken cancellationToken)
    {
        var state = outcome switch
        {
            { Error: null } => "delivered",
            { Gone: true } => "disabled",
            _ => delay is null ? "failed" : "pending",
        };
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var recorded = await connection.Sql(
                """
                with ended as (
                  update webhook_deliveries
                  set state = @state,
                      attempts = attempts + 1,
                      next_attempt_at = case when @state = 'pending' then now() + @delay end,
                      finished_at = case when @state <> 'pending' then now() end,
                      owner = null,
                      last_status = @status,
                      last_error = @error
                  where id = @id
                    and owner = @process
                    and fence = @fence
                  returning id, attempts
                )
                insert into webhook_attempts (delivery_id, attempt, started_at, duration_ms, status, error, response)
                select id, attempts, @started, @duration, @status, @error, @response
                from ended
                """)
            .With("id", delivery.Id)
            .With("process", delivery.Process)
            .With("fence", delivery.Fence)
            .With("state", state)
            .With("delay", NpgsqlDbType.Interval, delay)
            .With("status", NpgsqlDbType.Integer, outcome.Status)
            .With("error", NpgsqlDbType.Text, outcome.Error)
            .With("started", outcome.StartedAt)
            .With("duration", (int)outcome.Duration.TotalMilliseconds)
            .With("response", NpgsqlDbType.Text, outcome.Response)
            .ExecuteNonQueryAsync(cancellationToken);
        if (recorded == 1 && state == "disabled")
            await DisableAsync(connection, delivery, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return recorded == 1;
    }

    /// <summary>Hands unsent deliveries back, with their due time unchanged.</summary>
    public async Task ReleaseAsync(IReadOnlyCollection<ClaimedDelivery> deliveries, CancellationToken cancellationToken) =>
        await database.Sql(
                $"""
                update webhook_deliveries d
                set owner = null
                from unnest(@ids, @fences) as held (id, fence)
                where d.id = held.id
                  and d.fence = held.fence
                  and d.owner is not null;

                select pg_notify('{WebhookOutbox.Channel}', '')
                """)
            .With("ids", deliveries.Select(delivery => delivery.Id).ToArray())
            .With("fences", deliveries.Select(delivery => delivery.Fence).ToArray())
            .ExecuteNonQueryAsync(cancellationToken);

    /// <summary>
    /// Frees the claims of dead processes, and claims of this process that it does not know of because the connection was lost before
    /// the response arrived. Returns how many.
    /// </summary>
    public async Task<int> FreeAbandonedAsync(Guid process, IReadOnlyCollection<string> inFlight, CancellationToken cancellationToken) =>
        await database.Sql(
                $"""
                update webhook_deliveries d
                set owner = null
                where d.owner is not null
                  and case
                        when d.owner = @process then d.id <> all (@in_flight)
                        else {ProcessLeaseSql.OwnerIsGone("d.owner")}
                      end
                """)
            .With("process", process)
            .With("in_flight", inFlight.ToArray())
            .WithLease(lease.Value)
            .ExecuteNonQueryAsync(cancellationToken);

    // Deliveries being sent right now are left to record their own outcome.
    private static async Task DisableAsync(NpgsqlConnection connection, ClaimedDelivery delivery, CancellationToken cancellationToken) =>
        await connection.Sql(
                """
                insert into webhook_disabled_endpoints (owner_id, url)
                values (@owner, @url)
                on conflict do nothing;

                update webhook_deliveries
                set state = 'disabled',
                    next_attempt_at = null,
                    finished_at = now()
                where owner_id = @owner
                  and url = @url
                  and state = 'pending'
                  and owner is null
                """)
            .With("owner", delivery.Owner.Value)
            .With("url", delivery.Url)
            .ExecuteNonQueryAsync(cancellationToken);
}

/// <summary>A delivery claimed by this process; updates to it only apply while the claim's fence matches.</summary>
public sealed record ClaimedDelivery
{
    /// <summary>The <c>webhook-id</c>, the same for every attempt.</summary>
    public required string Id { get; init; }

    public required OwnerId Owner { get; init; }
    public required RequestId Request { get; init; }
    public required string Url { get; init; }
    public required string Receiver { get; init; }
    public required string Body { get; init; }

    /// <summary>Failed attempts since the schedule started, either originally or with the latest replay.</summary>
    public required int Failed { get; init; }

    /// <summary>The process that claimed it.</summary>
    public required Guid Process { get; init; }

    public required long Fence { get; init; }

    /// <summary>Trace context of the run it reports, or null.</summary>
    public string? TraceParent { get; init; }

    /// <summary>When it was claimed, by the database's clock, which all processes share.</summary>
    public required DateTimeOffset ClaimedAt { get; init; }

    /// <summary>The same moment as a timestamp of this process's <see cref="TimeProvider"/>.</summary>
    public required long ClaimedTimestamp { get; init; }
}

/// <summary>How many more deliveries a process may claim.</summary>
/// <param name="Total">In total.</param>
/// <param name="Receivers">Per receiver, for those with less than the full limit left.</param>
/// <param name="Owners">Per owner, for those with less than the full limit left.</param>
public sealed record DispatchCapacity(int Total, IReadOnlyDictionary<string, int> Receivers, IReadOnlyDictionary<OwnerId, int> Owners);
