using System.Text.Json.Serialization;

namespace Darkroom.Requests;

/// <summary>Status of a request's current run. The names are those of the database's <c>status_enum</c> and of JSON.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RequestStatus>))]
public enum RequestStatus
{
    /// <summary>Accepted; its workflow has not started.</summary>
    [JsonStringEnumMemberName("created")]
    Created,

    /// <summary>Its workflow is running.</summary>
    [JsonStringEnumMemberName("processing")]
    Processing,

    /// <summary>Every image succeeded, and the output CSV exists.</summary>
    [JsonStringEnumMemberName("completed")]
    Completed,

    /// <summary>The output CSV exists, and at least one image failed.</summary>
    [JsonStringEnumMemberName("completed_with_errors")]
    CompletedWithErrors,

    /// <summary>The workflow ended without an output CSV.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,

    /// <summary>Cancelled by its owner.</summary>
    [JsonStringEnumMemberName("cancelled")]
    Cancelled,
}

/// <summary>Helpers for <see cref="RequestStatus"/>.</summary>
public static class RequestStatuses
{
    /// <summary>Final, unless a retry starts another run.</summary>
    public static bool IsTerminal(this RequestStatus status) => status >= RequestStatus.Completed;

    /// <summary>As stored in the database.</summary>
    public static string ToText(this RequestStatus status) => status switch
    {
        RequestStatus.Created => "created",
        RequestStatus.Processing => "processing",
        RequestStatus.Completed => "completed",
        RequestStatus.CompletedWithErrors => "completed_with_errors",
        RequestStatus.Failed => "failed",
        RequestStatus.Cancelled => "cancelled",
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, null),
    };

    /// <summary>From the database's text (<c>status::text</c>).</summary>
    public static RequestStatus Parse(string text) => text switch
    {
        "created" => RequestStatus.Created,
        "processing" => RequestStatus.Processing,
        "completed" => RequestStatus.Completed,
        "completed_with_errors" => RequestStatus.CompletedWithErrors,
        "failed" => RequestStatus.Failed,
        "cancelled" => RequestStatus.Cancelled,
        _ => throw new ArgumentOutOfRangeException(nameof(text), text, "Not a request status."),
    };

    /// <summary>The final status of a run. <c>completed</c> means that every image succeeded and the output CSV exists.</summary>
    /// <param name="subStatus">How the workflow instance ended: Finished, Faulted or Cancelled.</param>
    public static RequestStatus AtEnd(string subStatus, int images, int succeeded, bool hasOutputCsv) => subStatus switch
    {
        "Cancelled" => RequestStatus.Cancelled,
        "Finished" when hasOutputCsv && succeeded == images => RequestStatus.Completed,
        "Finished" when hasOutputCsv => RequestStatus.CompletedWithErrors,
        _ => RequestStatus.Failed,
    };
}
