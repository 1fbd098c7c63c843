using System.Text.Json;
using Darkroom.Runs;

namespace Darkroom.Api.Elsa.Instances;

/// <summary>An instance as a list shows it.</summary>
internal record InstanceView(
    string Id, string DefinitionId, string DefinitionVersionId, int Version, string Status, string SubStatus, string CorrelationId,
    string Name, long IncidentCount, bool IsSystem, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, DateTimeOffset? FinishedAt)
{
    public static InstanceView From(InstanceSummary instance) => new(
        instance.Id.ToString("D"), instance.DefinitionId, instance.DefinitionVersionId, instance.Version, instance.Status, instance.SubStatus,
        instance.RequestId.ToString(), instance.Name, instance.IncidentCount, IsSystem: false,
        instance.CreatedAt, instance.UpdatedAt, instance.FinishedAt);
}

/// <summary>An instance as its viewer shows it.</summary>
internal sealed record InstanceDetailView(InstanceView Summary, WorkflowStateView WorkflowState) : InstanceView(Summary);

internal sealed record WorkflowStateView(
    string Id, string DefinitionId, string DefinitionVersionId, int DefinitionVersion, string CorrelationId, string Name,
    string Status, string SubStatus,
    IReadOnlyList<BookmarkView> Bookmarks,
    IReadOnlyList<IncidentView> Incidents,
    IReadOnlyList<object> CompletionCallbacks,
    IReadOnlyList<object> ActivityExecutionContexts,
    IReadOnlyDictionary<string, object?> Input,
    IReadOnlyDictionary<string, object?> Output,
    IReadOnlyDictionary<string, object?> Properties,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, DateTimeOffset? FinishedAt);

internal sealed record BookmarkView(
    string Id, string Name, string Hash, object? Payload, string ActivityId, string ActivityNodeId, string ActivityInstanceId,
    DateTimeOffset CreatedAt, bool AutoBurn, string? CallbackMethodName);

internal sealed record IncidentView(
    string ActivityId, string ActivityNodeId, string ActivityInstanceId, string ActivityType, string Message, ExceptionView Exception,
    DateTimeOffset Timestamp);

/// <summary>A failure in our own words; there is no stack trace to show.</summary>
/// <param name="Type">Our error code.</param>
internal sealed record ExceptionView(string Type, string Message, string? StackTrace = null, ExceptionView? InnerException = null);

internal sealed record JournalRecordView(
    string Id, string ActivityInstanceId, string? ParentActivityInstanceId, string ActivityId, string ActivityType, int ActivityTypeVersion,
    string ActivityName, string NodeId, DateTimeOffset Timestamp, long Sequence, string EventName, string? Message, string? Source,
    object? ActivityState, IReadOnlyDictionary<string, object?>? Payload);

internal sealed record ActivityStatsView(
    string ActivityId, string ActivityNodeId, long StartedCount, long CompletedCount, long UncompletedCount, bool IsBlocked, bool IsFaulted,
    long AggregateFaultCount, IReadOnlyDictionary<string, object?> Metadata);

internal sealed record StatsView(IReadOnlyList<ActivityStatsView> Stats);

/// <summary>One execution, or all the executions of one activity of a fan-out's body.</summary>
internal sealed record ExecutionView(
    string Id, string WorkflowInstanceId, string ActivityId, string ActivityNodeId, string ActivityType, int ActivityTypeVersion,
    string ActivityName, object? ActivityState, IReadOnlyDictionary<string, object?>? Payload, object? Outputs,
    IReadOnlyDictionary<string, object?> Properties, IReadOnlyDictionary<string, object?> Metadata, ExceptionView? Exception,
    DateTimeOffset StartedAt, bool HasBookmarks, string Status, long AggregateFaultCount, DateTimeOffset? CompletedAt);

internal sealed record VariableView(string Id, string Name, JsonElement? Value);

internal sealed record CallStackView(string ActivityExecutionId, IReadOnlyList<ExecutionView> Items, int TotalCount);

internal sealed record ExecutionStateView(string Status, string SubStatus, string WorkflowSubStatus, DateTimeOffset UpdatedAt);

/// <summary>A page of a longer list.</summary>
internal sealed record PageView<T>(IReadOnlyList<T> Items, long TotalCount);

/// <summary>A run in an export file, with Elsa's names.</summary>
internal sealed record InstanceExportView(
    WorkflowStateView WorkflowState,
    IReadOnlyList<BookmarkView> Bookmarks,
    IReadOnlyList<ExecutionView> ActivityExecutionRecords,
    IReadOnlyList<JournalRecordView> WorkflowExecutionLogRecords);
