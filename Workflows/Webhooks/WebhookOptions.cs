using System.ComponentModel.DataAnnotations;

namespace Darkroom.Webhooks;

/// <summary>How webhooks are written and sent. Section <c>Webhooks</c>.</summary>
public sealed class WebhookOptions : IValidatableObject
{
    /// <summary>Images whose URLs and outcomes a webhook carries; a request with more gets a link to the list. Default 1,000, 0 to 10,000.</summary>
    [Range(0, 10_000)]
    public int MaxImages { get; set; } = 1_000;

    /// <summary>Time for one attempt, from connecting to the end of the answer. Default 15 s: receivers should answer first and work later.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Time to connect, TLS included. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Attempts under way at once in one worker process. Default 128.</summary>
    [Range(1, 10_000)]
    public int MaxConcurrent { get; set; } = 128;

    /// <summary>
    /// Attempts under way at once to one receiver (host and port) from one worker process. Default 4. A receiver whose last attempt brought no
    /// answer gets 1 until it answers again.
    /// </summary>
    [Range(1, 1_000)]
    public int MaxConcurrentPerReceiver { get; set; } = 4;

    /// <summary>Attempts under way at once for one owner from one worker process. Default 64: half of all, so that nobody takes every slot.</summary>
    [Range(1, 10_000)]
    public int MaxConcurrentPerOwner { get; set; } = 64;

    /// <summary>Look for due deliveries at least this often. Default 5 s; notifications and the next due time normally come first.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:05:00")]
    public TimeSpan Poll { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest wait that a receiver's <c>Retry-After</c> may ask for. Default 24 h: no longer than the schedule's own longest.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "7.00:00:00")]
    public TimeSpan MaxRetryAfter { get; set; } = TimeSpan.FromHours(24);

    /// <summary>At shutdown, time that attempts under way are given to end by themselves. Default 5 s; the rest is handed back.</summary>
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
