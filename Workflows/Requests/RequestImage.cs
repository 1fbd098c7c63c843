using Darkroom.Data;

namespace Darkroom.Requests;

/// <summary>One image of a request: a place in its CSV and what became of it.</summary>
public sealed record RequestImage
{
    public required ImageId Id { get; init; }
    public required ImagePlace Place { get; init; }
    public required string Serial { get; init; }
    public required string ProductName { get; init; }
    public required string Url { get; init; }

    /// <summary>As the database writes it: waiting, offered, running, succeeded or failed.</summary>
    public required string State { get; init; }

    public required int Attempts { get; init; }
    public required string? ErrorCode { get; init; }
    public required string? ErrorMessage { get; init; }
    public required StoredImage? Original { get; init; }
    public required StoredImage? Output { get; init; }
}

/// <summary>An image in the object storage.</summary>
public sealed record StoredImage(string Key, string? Type, long? Bytes, int? Width, int? Height, byte[]? Sha256);

/// <summary>Which images of a request to list.</summary>
public enum ImageFilter
{
    All,

    /// <summary>Without an outcome yet: waiting, offered or running.</summary>
    Unfinished,
    Succeeded,
    Failed,
}

/// <summary>States of images as the outside world sees them, in the API and in webhooks.</summary>
public static class ImageStates
{
    /// <summary>
    /// succeeded, failed, pending or cancelled. Unfinished images are not rewritten when their request is cancelled: they read so.
    /// Where a run failed without them, they are still pending.
    /// </summary>
    /// <param name="state">As the database writes it.</param>
    public static string Shown(string state, RequestStatus request) => state switch
    {
        "succeeded" or "failed" => state,
        _ when request == RequestStatus.Cancelled => "cancelled",
        _ => "pending",
    };
}
