namespace Darkroom.Requests;

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
