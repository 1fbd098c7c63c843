using System.Text.Json;

namespace Darkroom.Engine;

/// <summary>A webhook that the workflow registered for the end of the run: its URL and extra payload.</summary>
/// <param name="Url">The receiver; empty means the request's own <c>webhook_url</c>.</param>
/// <param name="Payload">Whatever the workflow adds to the body, as <c>data.payload</c>; null for nothing.</param>
public sealed record WebhookRegistration(string? Url, JsonElement? Payload);
