using System.ComponentModel.DataAnnotations;

namespace Darkroom.Queue;

/// <summary>How images travel from Postgres through Redis to workers and back. Section <c>Queue</c>.</summary>
public sealed class QueueOptions : IValidatableObject
{
    /// <summary>
    /// Images of one request in Redis at a time. Default 2,000: a few seconds of work, which bounds Redis' memory for any CSV size.
    /// </summary>
    [Range(1, 100_000)]
    public int OfferedPerRequest { get; set; } = 2_000;

    /// <summary>Images of all requests in Redis at a time, shared equally between owners, then between their open requests. Default 20,000.</summary>
    [Range(1, 1_000_000)]
    public int OfferedOverall { get; set; } = 20_000;

    /// <summary>
    /// Images that each open request may offer, however many requests are open: at once when it opens. Default 32, so that no request has to
    /// wait until another ends.
    /// </summary>
    [Range(1, 1_000)]
    public int OfferedAtLeast { get; set; } = 32;

    /// <summary>
    /// Images offered per feeder transaction. Default 2,000. Larger means fewer transactions; smaller means shorter ones.
    /// </summary>
    [Range(1, 20_000)]
    public int FeedSlice { get; set; } = 2_000;

    /// <summary>
    /// Time between feeder passes while a fan-out is open. Default 250 ms: a pass looks at every open request, whether or not there is anything
    /// to offer. It counts what is offered, so the time grows by as much for every 5,000 of these.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "00:01:00")]
    public TimeSpan Feed { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Time between feeder passes while nothing is open: a slow poll in case a NOTIFY is lost. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan Idle { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Age at which an unclaimed offer is looked up in Redis, and pushed again if its id is not queued there. Default 30 s: it determines how
    /// long an id lost between pop and claim stays lost.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan StaleOffer { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Offers looked up in Redis or pushed to it again per batch. Default 1,000.</summary>
    [Range(1, 20_000)]
    public int ReconcileSlice { get; set; } = 1_000;

    /// <summary>
    /// Longest sleep of an idle claimer: a slow poll in case a PUBLISH is lost, and the pause while Redis is unavailable. Default 1 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.05", "00:01:00")]
    public TimeSpan ClaimPoll { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Outcomes recorded per transaction. Default 200.</summary>
    [Range(1, 5_000)]
    public int RecordBatch { get; set; } = 200;

    /// <summary>
    /// Longest time that a batch's first outcome waits for more. Default 10 ms; while one batch is written, the next fills anyway.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:01")]
    public TimeSpan RecordLinger { get; set; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Outcomes that may wait in memory. Default 2,000; beyond that, the producer of the next one waits.</summary>
    [Range(1, 100_000)]
    public int RecordCapacity { get; set; } = 2_000;

    /// <summary>
    /// Batches written concurrently, each of other requests. Default 4: one that is slow does not hold up the others.
    /// </summary>
    [Range(1, 32)]
    public int RecordConcurrency { get; set; } = 4;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (OfferedPerRequest > OfferedOverall)
            yield return new ValidationResult(
                $"Queue:OfferedPerRequest ({OfferedPerRequest}) must be at most Queue:OfferedOverall ({OfferedOverall}).");
        if (OfferedAtLeast > OfferedPerRequest)
            yield return new ValidationResult(
                $"Queue:OfferedAtLeast ({OfferedAtLeast}) must be at most Queue:OfferedPerRequest ({OfferedPerRequest}).");
        if (RecordBatch > RecordCapacity)
            yield return new ValidationResult(
                $"Queue:RecordBatch ({RecordBatch}) must be at most Queue:RecordCapacity ({RecordCapacity}).");
    }
}
