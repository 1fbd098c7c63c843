using System.Text.Json;

namespace Darkroom.Engine;

/// <summary>What a workflow asks to be told to whom when the run has ended.</summary>
/// <param name="Url">The receiver; empty means the request's own <c>webhook_url</c>.</param>
/// <param name="Payload">Whatever the workflow adds to the body, as <c>data.payload</c>; null for nothing.</param>
public sealed record WebhookRegistration(string? Url, JsonElement? Payload);
