using Darkroom.Data;

namespace Darkroom.Requests;

/// <summary>One row of <c>csv_data_table</c>: an uploaded CSV and the progress of its current run.</summary>
public sealed record Request
{
    public required RequestId Id { get; init; }
    public required OwnerId OwnerId { get; init; }
    public required RequestStatus Status { get; init; }
    public required int ProcessingPercentage { get; init; }
    public required int NoOfProducts { get; init; }
    public required int NoOfImages { get; init; }
    public required int ImagesSucceeded { get; init; }
    public required int ImagesFailed { get; init; }

    /// <summary>Total size of the originals of images that succeeded.</summary>
    public required long BytesIn { get; init; }

    /// <summary>Total size of the outputs of images that succeeded.</summary>
    public required long BytesOut { get; init; }

    public required int Run { get; init; }
    public required long Revision { get; init; }
    public required string CsvPath { get; init; }
    public required string? FileName { get; init; }
    public required long CsvBytes { get; init; }
    public required byte[] CsvSha256 { get; init; }
    public required string? OutputPath { get; init; }
    public required string WorkflowDefinitionId { get; init; }
    public required int WorkflowVersion { get; init; }
    public required string? WebhookUrl { get; init; }
    public required string? ErrorCode { get; init; }
    public required string? ErrorMessage { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset? StartedAt { get; init; }
    public required DateTimeOffset? FinishedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Images without an outcome yet.</summary>
    public int ImagesUnfinished => NoOfImages - ImagesSucceeded - ImagesFailed;
}
