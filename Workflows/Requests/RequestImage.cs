using Darkroom.Data;

namespace Darkroom.Requests;

/// <summary>One image of a request: its place in the CSV and its result.</summary>
public sealed record RequestImage
{
    public required ImageId Id { get; init; }
    public required ImagePlace Place { get; init; }
    public required string Serial { get; init; }
    public required string ProductName { get; init; }
    public required string Url { get; init; }

    /// <summary>As stored in the database: waiting, offered, running, succeeded or failed.</summary>
    public required string State { get; init; }

    public required int Attempts { get; init; }
    public required string? ErrorCode { get; init; }
    public required string? ErrorMessage { get; init; }
    public required StoredImage? Original { get; init; }
    public required StoredImage? Output { get; init; }
}

/// <summary>An image in the object store.</summary>
public sealed record StoredImage(string Key, string? Type, long? Bytes, int? Width, int? Height, byte[]? Sha256);

/// <summary>Which images of a request to list.</summary>
public enum ImageFilter
{
    All,

    /// <summary>No outcome yet: waiting, offered or running.</summary>
    Unfinished,
    Succeeded,
    Failed,
}

/// <summary>Image states as shown in the API and in webhooks.</summary>
public static class ImageStates
{
    /// <summary>
    /// succeeded, failed, pending or cancelled. When a request is cancelled, its unfinished images keep their stored state but are shown
    /// as cancelled. When a run fails before they finish, they are shown as pending.
    /// </summary>
    /// <param name="state">As stored in the database.</param>
    public static string Shown(string state, RequestStatus request) => state switch
    {
        "succeeded" or "failed" => state,
        _ when request == RequestStatus.Cancelled => "cancelled",
        _ => "pending",
    };
}
