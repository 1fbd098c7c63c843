namespace Darkroom.Webhooks;

/// <summary>How one attempt ended.</summary>
/// <param name="StartedAt">When it began.</param>
/// <param name="Duration">How long it took.</param>
/// <param name="Status">The HTTP status, if there was an answer.</param>
/// <param name="Error">One of <see cref="WebhookErrors"/>, or null if it was delivered.</param>
/// <param name="Response">The start of what the receiver answered, for the owner's eyes.</param>
/// <param name="RetryAfter">When the receiver wants to be asked again.</param>
public sealed record WebhookOutcome(
    DateTimeOffset StartedAt, TimeSpan Duration, int? Status, string? Error, string? Response = null, TimeSpan? RetryAfter = null)
{
    /// <summary>The receiver wants nothing more, ever.</summary>
    public bool Gone => Status == 410;
}
