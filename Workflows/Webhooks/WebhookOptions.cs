using System.ComponentModel.DataAnnotations;

namespace Darkroom.Webhooks;

/// <summary>How webhooks are composed and sent. Section <c>Webhooks</c>.</summary>
public sealed class WebhookOptions : IValidatableObject
{
    /// <summary>
    /// Images whose URLs and outcomes a webhook includes; larger requests get a link to the list. Default 1,000, 0 to 10,000.
    /// </summary>
    [Range(0, 10_000)]
    public int MaxImages { get; set; } = 1_000;

    /// <summary>
    /// Time for one attempt, from connecting to the end of the response. Default 15 s: receivers should respond first and work later.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Time to connect, including TLS. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Concurrent attempts per worker process. Default 128.</summary>
    [Range(1, 10_000)]
    public int MaxConcurrent { get; set; } = 128;

    /// <summary>
    /// Concurrent attempts per receiver (host and port) and worker process. Default 4. A receiver that did not respond to the last attempt
    /// gets 1 until it responds again.
    /// </summary>
    [Range(1, 1_000)]
    public int MaxConcurrentPerReceiver { get; set; } = 4;

    /// <summary>Concurrent attempts per owner and worker process. Default 64: half of all slots, so that no owner takes them all.</summary>
    [Range(1, 10_000)]
    public int MaxConcurrentPerOwner { get; set; } = 64;

    /// <summary>
    /// Longest time between polls for due deliveries. Default 5 s; notifications and the next due time normally come first.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:05:00")]
    public TimeSpan Poll { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Longest wait that a receiver's <c>Retry-After</c> may ask for. Default 24 h: the longest wait of the retry schedule.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "7.00:00:00")]
    public TimeSpan MaxRetryAfter { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How long shutdown waits for attempts in progress. Default 5 s; the rest are released.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan Drain { get; set; } = TimeSpan.FromSeconds(5);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (ConnectTimeout > Timeout)
            yield return new ValidationResult(
                $"Webhooks:ConnectTimeout ({ConnectTimeout}) must not exceed Webhooks:Timeout ({Timeout}).");
        if (MaxConcurrentPerReceiver > MaxConcurrent)
            yield return new ValidationResult(
                $"Webhooks:MaxConcurrentPerReceiver ({MaxConcurrentPerReceiver}) must not exceed Webhooks:MaxConcurrent ({MaxConcurrent}).");
    }
}
