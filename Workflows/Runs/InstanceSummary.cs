using Darkroom.Data;
using Darkroom.Engine.Definitions;
using Darkroom.Engine.Flow;
using Darkroom.Requests;

namespace Darkroom.Runs;

/// <summary>A workflow instance as a list shows it. Its owner knows it by its request.</summary>
public sealed record InstanceSummary
{
    public required Guid Id { get; init; }
    public required RequestId RequestId { get; init; }
    public required OwnerId OwnerId { get; init; }
    public required int Run { get; init; }

    /// <summary>False if a retry has started a later run: the request's counters then no longer describe this one.</summary>
    public required bool IsCurrentRun { get; init; }

    public required string DefinitionId { get; init; }
    public required string DefinitionVersionId { get; init; }
    public required int Version { get; init; }

    /// <summary>Running or Finished.</summary>
    public required string Status { get; init; }

    public required string SubStatus { get; init; }

    /// <summary>The name of the uploaded file, plus the run number after the first run.</summary>
    public required string Name { get; init; }

    /// <summary>The incident that faulted the instance, plus the images that failed.</summary>
    public required long IncidentCount { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the instance last took a step, or outcomes of its images were recorded.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    public required DateTimeOffset? FinishedAt { get; init; }

    public bool IsRunning => Status == "Running";
}

/// <summary>A workflow instance as its viewer shows it.</summary>
public sealed record InstanceDetail
{
    public required InstanceSummary Summary { get; init; }

    /// <summary>The definition text that it runs.</summary>
    public required DocumentHash Document { get; init; }

    public required WorkflowState State { get; init; }
    public required RequestStatus RequestStatus { get; init; }
    public required string? FileName { get; init; }
    public required int Products { get; init; }
    public required int Images { get; init; }

    /// <summary>Of the request's current run.</summary>
    public required int ImagesSucceeded { get; init; }

    /// <summary>Of the request's current run.</summary>
    public required int ImagesFailed { get; init; }

    /// <summary>Images that workers are processing now.</summary>
    public required int ImagesRunning { get; init; }

    public required DateTimeOffset? JournalRemovedAt { get; init; }
    public required IReadOnlyList<OpenBookmark> Bookmarks { get; init; }
}

/// <summary>What an instance is waiting for.</summary>
/// <param name="Id">Also the id of the activity's execution.</param>
/// <param name="Name">The activity's type.</param>
public sealed record OpenBookmark(Guid Id, string ActivityId, string Name, DateTimeOffset CreatedAt);
