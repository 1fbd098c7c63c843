namespace Darkroom.Queue;

/// <summary>What became of an outcome that was handed to the recorder.</summary>
public enum RecordResult
{
    /// <summary>It is durable, and the request's counters have moved by it.</summary>
    Recorded,

    /// <summary>It changed nothing: the image is someone else's by now, its request has ended, or an earlier try whose answer got lost had recorded it.</summary>
    Superseded,

    /// <summary>The database would not hold it; the image was recorded as failed with <see cref="QueueFailureCodes.RecordFailed"/>.</summary>
    Replaced,
}
