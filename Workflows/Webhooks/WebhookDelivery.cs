namespace Darkroom.Webhooks;

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

/// <param name="Response">At most the first KiB of what the receiver answered.</param>
public sealed record WebhookAttempt(int Attempt, DateTimeOffset StartedAt, int DurationMs, int? Status, string? Error, string? Response);
