using System.ComponentModel.DataAnnotations;

namespace Darkroom.Queue;

/// <summary>How images travel from Postgres through Redis to workers and back. Section <c>Queue</c>.</summary>
public sealed class QueueOptions : IValidatableObject
{
    /// <summary>Images of one request that may lie in Redis at once. It bounds Redis' memory whatever the CSV's size; a few seconds of work is enough.</summary>
    [Range(1, 100_000)]
    public int OfferedPerRequest { get; set; } = 2_000;

    /// <summary>Images of all requests that may lie in Redis at once, shared equally between open requests.</summary>
    [Range(1, 1_000_000)]
    public int OfferedOverall { get; set; } = 20_000;

    /// <summary>Images that each open request may offer however many requests are open, so that none waits for another to end.</summary>
    [Range(1, 1_000)]
    public int OfferedAtLeast { get; set; } = 32;

    /// <summary>Images offered by one feeder transaction. Larger: fewer transactions; smaller: shorter ones.</summary>
    [Range(1, 20_000)]
    public int FeedSlice { get; set; } = 2_000;

    /// <summary>Time between feeder passes while a fan-out is open. Default 250 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "00:01:00")]
    public TimeSpan Feed { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Time between feeder passes while nothing is open: the slow poll behind NOTIFY. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan Idle { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Age at which an offer that nobody claimed is pushed to Redis again. Default 30 s. Pushing what still waits there changes nothing,
    /// so this is only the time that an id lost between pop and claim stays lost.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan StaleOffer { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Offers read, and pushed to Redis again, at a time.</summary>
    [Range(1, 20_000)]
    public int ReconcileSlice { get; set; } = 1_000;

    /// <summary>Longest time that an idle claimer sleeps without looking: the slow poll behind PUBLISH, and the pause while Redis is away. Default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.05", "00:01:00")]
    public TimeSpan ClaimPoll { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Deaths of its process while it ran alone after which an image is failed as <c>decoder_crashed</c>.</summary>
    [Range(1, 10)]
    public int MaxExclusiveCrashes { get; set; } = 2;

    /// <summary>Outcomes of one request that are recorded by one transaction.</summary>
    [Range(1, 5_000)]
    public int RecordBatch { get; set; } = 200;

    /// <summary>Longest time that a first outcome waits for companions. Default 10 ms. While a batch is being written, the next one gathers anyway.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:01")]
    public TimeSpan RecordLinger { get; set; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Outcomes that may wait in memory; past that, whoever hands in the next one waits.</summary>
    [Range(1, 100_000)]
    public int RecordCapacity { get; set; } = 2_000;

    /// <summary>Batches (of different requests) written at once, so that many small requests do not take the whole connection pool.</summary>
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
