using System.ComponentModel;
using Darkroom.Requests;

namespace Darkroom.Api.Requests;

/// <summary>A request as the API shows it. In JSON its members have the names of the database's columns.</summary>
internal sealed record RequestView
{
    public required Guid Id { get; init; }
    public required RequestStatus Status { get; init; }

    [Description("Percentage of images finished in this run, as a whole number; at most 99 until the run has ended, 100 when it completed.")]
    public required int ProcessingPercentage { get; init; }

    public required int NoOfProducts { get; init; }
    public required int NoOfImages { get; init; }
    public required ImageCountsView Images { get; init; }
    public required BytesView Bytes { get; init; }

    [Description("1 at first, increased by each retry.")]
    public required int Run { get; init; }

    [Description("Increases with every change to the request or its images; also the ETag.")]
    public required long Revision { get; init; }

    public required string? FileName { get; init; }
    public required WorkflowView Workflow { get; init; }
    public required string? WebhookUrl { get; init; }

    [Description("Why the run failed; otherwise null.")]
    public required ErrorView? Error { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset? StartedAt { get; init; }
    public required DateTimeOffset? FinishedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
    public required RequestLinksView Links { get; init; }

    public static RequestView From(Request request, ApiLinks links)
    {
        // Cancelling does not update unfinished images; they count as cancelled from then on.
        var cancelled = request.Status == RequestStatus.Cancelled ? request.ImagesUnfinished : 0;
        return new RequestView
        {
            Id = request.Id.Value,
            Status = request.Status,
            ProcessingPercentage = request.ProcessingPercentage,
            NoOfProducts = request.NoOfProducts,
            NoOfImages = request.NoOfImages,
            Images = new ImageCountsView(request.ImagesSucceeded, request.ImagesFailed, request.ImagesUnfinished - cancelled, cancelled),
            Bytes = new BytesView(request.BytesIn, request.BytesOut, request.BytesIn - request.BytesOut),
            Run = request.Run,
            Revision = request.Revision,
            FileName = request.FileName,
            Workflow = new WorkflowView(request.WorkflowDefinitionId, request.WorkflowVersion),
            WebhookUrl = request.WebhookUrl,
            Error = request.ErrorCode is { } code ? new ErrorView(code, request.ErrorMessage ?? code) : null,
            CreatedAt = request.CreatedAt,
            StartedAt = request.StartedAt,
            FinishedAt = request.FinishedAt,
            UpdatedAt = request.UpdatedAt,
            Links = links.Of(request),
        };
    }
}

internal sealed record ImageCountsView(int Succeeded, int Failed, int Pending, int Cancelled);

/// <param name="In">Total size of the originals of images that succeeded.</param>
/// <param name="Out">Total size of their outputs.</param>
/// <param name="Saved">The difference.</param>
internal sealed record BytesView(long In, long Out, long Saved);

internal sealed record WorkflowView(string DefinitionId, int Version);

internal sealed record ErrorView(string Code, string Message);

/// <param name="OutputCsv">Null until there is an output CSV.</param>
internal sealed record RequestLinksView(
    string Self, string Images, string FailedImages, string InputCsv, string? OutputCsv, string Webhooks);

/// <param name="NextCursor">Cursor of the next page; null on the last page.</param>
internal sealed record RequestPageView(IReadOnlyList<RequestView> Items, string? NextCursor);
