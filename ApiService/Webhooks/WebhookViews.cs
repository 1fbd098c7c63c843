using System.ComponentModel;
using System.Text.Json;
using Darkroom.Webhooks;

namespace Darkroom.Api.Webhooks;

/// <summary>A delivery as the API shows it.</summary>
internal sealed record WebhookDeliveryView
{
    [Description("The webhook-id header: the same for every attempt and replay.")]
    public required string Id { get; init; }

    public required Guid RequestId { get; init; }
    public required int Run { get; init; }
    public required string Url { get; init; }

    [Description("pending, delivered, failed (no attempts left) or disabled (the receiver returned 410).")]
    public required string State { get; init; }

    public required DateTimeOffset? NextAttemptAt { get; init; }
    public required int? LastStatus { get; init; }
    public required string? LastError { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset? FinishedAt { get; init; }
    public required IReadOnlyList<WebhookAttempt> Attempts { get; init; }

    public static WebhookDeliveryView From(WebhookDelivery delivery) => new()
    {
        Id = delivery.Id,
        RequestId = delivery.RequestId,
        Run = delivery.Run,
        Url = delivery.Url,
        State = delivery.State,
        NextAttemptAt = delivery.NextAttemptAt,
        LastStatus = delivery.LastStatus,
        LastError = delivery.LastError,
        CreatedAt = delivery.CreatedAt,
        FinishedAt = delivery.FinishedAt,
        Attempts = delivery.Attempts,
    };
}

internal sealed record WebhookDeliveriesView(IReadOnlyList<WebhookDeliveryView> Items);

internal sealed record EndpointToEnable(string? Url);

/// <param name="HeldBack">Deliveries that were not sent while the endpoint was disabled; each can be replayed.</param>
internal sealed record EnabledEndpointView(string Url, int HeldBack);

/// <param name="Secret">The new signing secret, shown only once.</param>
/// <param name="PreviousExpiresAt">Until then, deliveries are also signed with the previous secret.</param>
internal sealed record RotatedSecretView(string Secret, DateTimeOffset? PreviousExpiresAt);

internal static class WebhookJson
{
    public static JsonSerializerOptions Options { get; } =
        new(JsonSerializerDefaults.Web) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
}
