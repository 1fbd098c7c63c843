using Darkroom.Data;
using Darkroom.Requests;

namespace Darkroom.Webhooks;

/// <summary>An image as a webhook tells of it.</summary>
/// <param name="State">As the database writes it.</param>
/// <param name="OutputUrl">Opens without a header; null unless it succeeded.</param>
internal sealed record WebhookImage(
    ImagePlace Place, string Serial, string ProductName, string Url, string State, string? OutputUrl, string? ErrorCode, string? ErrorMessage);
