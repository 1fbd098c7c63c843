using System.ComponentModel.DataAnnotations;

namespace Darkroom.Webhooks;

/// <summary>How webhooks are written and sent. Section <c>Webhooks</c>.</summary>
public sealed class WebhookOptions : IValidatableObject
{
    /// <summary>Images whose URLs and outcomes a webhook carries; a request with more gets a link to the list. Default 1,000, 0 to 10,000.</summary>
    [Range(0, 10_000)]
    public int MaxImages { get; set; } = 1_000;

    /// <summary>Time for one attempt, from connecting to the end of the answer, seconds. Default 15: receivers should answer first and work later.</summary>
    [Range(1, 60)]
    public double TimeoutSeconds { get; set; } = 15;

    /// <summary>Time to connect, TLS included, seconds. Default 5.</summary>
    [Range(0.1, 60)]
    public double ConnectTimeoutSeconds { get; set; } = 5;

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

    /// <summary>Look for due deliveries at least this often, seconds. Default 5; notifications and the next due time normally come first.</summary>
    [Range(0.1, 300)]
    public double PollSeconds { get; set; } = 5;

    /// <summary>Longest wait that a receiver's <c>Retry-After</c> may ask for, hours. Default 24: no longer than the schedule's own longest.</summary>
    [Range(0, 168)]
    public double MaxRetryAfterHours { get; set; } = 24;

    /// <summary>At shutdown, time that attempts under way are given to end by themselves, seconds. Default 5; the rest is handed back.</summary>
    [Range(0, 60)]
    public double DrainSeconds { get; set; } = 5;

    public TimeSpan Timeout => TimeSpan.FromSeconds(TimeoutSeconds);
    public TimeSpan ConnectTimeout => TimeSpan.FromSeconds(ConnectTimeoutSeconds);
    public TimeSpan Poll => TimeSpan.FromSeconds(PollSeconds);
    public TimeSpan MaxRetryAfter => TimeSpan.FromHours(MaxRetryAfterHours);
    public TimeSpan Drain => TimeSpan.FromSeconds(DrainSeconds);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (ConnectTimeoutSeconds > TimeoutSeconds)
            yield return new ValidationResult(
                $"Webhooks:ConnectTimeoutSeconds ({ConnectTimeoutSeconds}) must not exceed Webhooks:TimeoutSeconds ({TimeoutSeconds}).");
        if (MaxConcurrentPerReceiver > MaxConcurrent)
            yield return new ValidationResult(
                $"Webhooks:MaxConcurrentPerReceiver ({MaxConcurrentPerReceiver}) must not exceed Webhooks:MaxConcurrent ({MaxConcurrent}).");
    }
}
