using Darkroom.Data;
using Npgsql;

namespace Darkroom.Webhooks;

/// <summary>
/// An owner's view of its deliveries. Every statement filters by owner, so another owner's delivery looks like one that does not exist.
/// </summary>
public sealed class WebhookLog(NpgsqlDataSource database)
{
    private const string Columns =
        """
        d.id, d.request_id, d.run, d.url, d.state, d.next_attempt_at, d.last_status, d.last_error, d.created_at, d.finished_at,
        a.attempt, a.started_at, a.duration_ms, a.status, a.error, a.response
        """;

    /// <summary>All deliveries of a request, latest run first, each with its attempts.</summary>
    public async Task<IReadOnlyList<WebhookDelivery>> ListAsync(OwnerId owner, RequestId request, CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                $"""
                select {Columns}
                from webhook_deliveries d
                left join webhook_attempts a on a.delivery_id = d.id
                where d.request_id = @request
                  and d.owner_id = @owner
                order by d.run desc, d.created_at, d.id, a.attempt
                """)
            .With("request", request.Value)
            .With("owner", owner.Value);
        return await ReadAsync(command, cancellationToken);
    }

    public async Task<WebhookDelivery?> FindAsync(OwnerId owner, string delivery, CancellationToken cancellationToken)
    {
        await using var command = database.Sql(
                $"""
                select {Columns}
                from webhook_deliveries d
                left join webhook_attempts a on a.delivery_id = d.id
                where d.id = @id
                  and d.owner_id = @owner
                order by a.attempt
                """)
            .With("id", delivery)
            .With("owner", owner.Value);
        return (await ReadAsync(command, cancellationToken)).SingleOrDefault();
    }

    /// <summary>Resends a delivery now, with the same <c>webhook-id</c> and body, and restarts its schedule.</summary>
    public async Task<WebhookReplay> ReplayAsync(OwnerId owner, string delivery, CancellationToken cancellationToken)
    {
        // A delivery that is being sent right now is left alone: that is what was asked for.
        var outcome = await database.Sql(
                $"""
                with wanted as (
                  select d.id, d.receiver = '' as invalid, d.owner is not null as in_flight,
                    exists (select from webhook_disabled_endpoints e where e.owner_id = d.owner_id and e.url = d.url) as disabled
                  from webhook_deliveries d
                  where d.id = @id
                    and d.owner_id = @owner
                  for update of d
                ),
                replayed as (
                  update webhook_deliveries d
                  set state = 'pending',
                      schedule_from = d.attempts,
                      next_attempt_at = now(),
                      finished_at = null
                  from wanted w
                  where d.id = w.id
                    and not w.invalid
                    and not w.disabled
                    and not w.in_flight
                  returning pg_notify('{WebhookOutbox.Channel}', '')
                )
                select case
                         when invalid then 'invalid'
                         when disabled then 'disabled'
                         else 'replayed'
                       end, (select count(*) from replayed)
                from wanted
                """)
            .With("id", delivery)
            .With("owner", owner.Value)
            .ExecuteScalarAsync(cancellationToken);
        return outcome switch
        {
            null => WebhookReplay.Unknown,
            "invalid" => WebhookReplay.InvalidUrl,
            "disabled" => WebhookReplay.EndpointDisabled,
            _ => WebhookReplay.Accepted,
        };
    }

    /// <summary>
    /// Re-enables a disabled endpoint. Deliveries held back meanwhile stay disabled, because only the owner knows whether they are still
    /// relevant; they can be replayed. Returns how many there are, or null if the endpoint was not disabled.
    /// </summary>
    public async Task<int?> EnableAsync(OwnerId owner, string url, CancellationToken cancellationToken)
    {
        var held = await database.Sql(
                """
                with enabled as (
                  delete from webhook_disabled_endpoints
                  where owner_id = @owner
                    and url = @url
                  returning url
                )
                select (select count(*)::int
                        from webhook_deliveries
                        where owner_id = @owner
                          and url = @url
                          and state = 'disabled')
                from enabled
                """)
            .With("owner", owner.Value)
            .With("url", url)
            .ExecuteScalarAsync(cancellationToken);
        return held as int?;
    }

    private static async Task<IReadOnlyList<WebhookDelivery>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var deliveries = new List<WebhookDelivery>();
        var attempts = new List<WebhookAttempt>();
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
        {
            if (deliveries.Count == 0 || deliveries[^1].Id != row.GetString(0))
            {
                attempts = [];
                deliveries.Add(ReadDelivery(row, attempts));
            }

            if (!row.IsDBNull(10))
                attempts.Add(ReadAttempt(row));
        }

        return deliveries;
    }

    private static WebhookDelivery ReadDelivery(NpgsqlDataReader row, IReadOnlyList<WebhookAttempt> attempts) => new()
    {
        Id = row.GetString(0),
        RequestId = row.GetGuid(1),
        Run = row.GetInt32(2),
        Url = row.GetString(3),
        State = row.GetString(4),
        NextAttemptAt = row.TimeOrNull(5),
        LastStatus = row.IntOrNull(6),
        LastError = row.TextOrNull(7),
        CreatedAt = row.GetFieldValue<DateTimeOffset>(8),
        FinishedAt = row.TimeOrNull(9),
        Attempts = attempts,
    };

    private static WebhookAttempt ReadAttempt(NpgsqlDataReader row) => new(
        row.GetInt32(10), row.GetFieldValue<DateTimeOffset>(11), row.GetInt32(12), row.IntOrNull(13), row.TextOrNull(14), row.TextOrNull(15));
}

/// <summary>A delivery and its attempts, as its owner sees it.</summary>
public sealed record WebhookDelivery
{
    /// <summary>The <c>webhook-id</c>.</summary>
    public required string Id { get; init; }

    public required Guid RequestId { get; init; }
    public required int Run { get; init; }
    public required string Url { get; init; }

    /// <summary>pending, delivered, failed or disabled.</summary>
    public required string State { get; init; }

    public required DateTimeOffset? NextAttemptAt { get; init; }
    public required int? LastStatus { get; init; }

    /// <summary>One of <see cref="WebhookErrors"/>, or null.</summary>
    public required string? LastError { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset? FinishedAt { get; init; }
    public required IReadOnlyList<WebhookAttempt> Attempts { get; init; }
}

/// <param name="Response">At most the first KiB of the receiver's response.</param>
public sealed record WebhookAttempt(int Attempt, DateTimeOffset StartedAt, int DurationMs, int? Status, string? Error, string? Response);

/// <summary>The result of sending a delivery again.</summary>
public enum WebhookReplay
{
    /// <summary>It is due now, or already being sent.</summary>
    Accepted,

    /// <summary>The owner has no such delivery.</summary>
    Unknown,

    /// <summary>Its receiver responded 410; the endpoint must be enabled first.</summary>
    EndpointDisabled,

    /// <summary>Its URL is not a valid webhook address.</summary>
    InvalidUrl,
}
