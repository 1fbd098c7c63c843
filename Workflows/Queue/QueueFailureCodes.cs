namespace Darkroom.Queue;

/// <summary>Codes of failures that the queue itself records. They appear in the <c>Errors</c> column and in the API.</summary>
public static class QueueFailureCodes
{
    /// <summary>The image killed its process twice while nothing else ran there.</summary>
    public const string DecoderCrashed = "decoder_crashed";

    /// <summary>The database would not hold the image's outcome.</summary>
    public const string RecordFailed = "record_failed";
}
