using Darkroom.Data;
using Darkroom.Engine.Flow;
using Darkroom.Requests;
using Darkroom.Runs;

namespace Darkroom.Api.Elsa.Instances;

/// <summary>Shows a run in Elsa's terms. Pure: everything it shows comes from the given history.</summary>
internal static class RunPresenter
{
    public const string WorkflowNode = "Workflow1";

    public static InstanceDetailView Detail(RunHistory history) => new(InstanceView.From(history.Instance.Summary), State(history));

    public static WorkflowStateView State(RunHistory history)
    {
        var (instance, summary) = (history.Instance, history.Instance.Summary);
        return new WorkflowStateView(
            summary.Id.ToString("D"), summary.DefinitionId, summary.DefinitionVersionId, summary.Version, summary.RequestId.ToString(),
            summary.Name, summary.Status, summary.SubStatus,
            Bookmarks(history), Incidents(history), CompletionCallbacks: [], ActivityExecutionContexts: [],
            Input(instance), Output(instance), Properties(instance),
            summary.CreatedAt, summary.UpdatedAt, summary.FinishedAt);
    }

    public static IReadOnlyList<BookmarkView> Bookmarks(RunHistory history) =>
        [.. history.Instance.Bookmarks.Select(bookmark => new BookmarkView(
            bookmark.Id.ToString("D"), bookmark.Name, Hash: bookmark.Id.ToString("N"), Payload: null, bookmark.ActivityId,
            NodeOf(history, bookmark), bookmark.Id.ToString("D"), bookmark.CreatedAt, AutoBurn: true, CallbackMethodName: null))];

    /// <summary>First the incident that faulted the instance, then the images that failed without faulting it.</summary>
    private static List<IncidentView> Incidents(RunHistory history)
    {
        var incidents = history.Instance.State.Incidents.Select(incident => Incident(history, incident)).ToList();
        incidents.AddRange(history.Failures.Select(failure => Incident(history, failure)));
        return incidents;
    }

    private static IncidentView Incident(RunHistory history, Incident incident)
    {
        var execution = history.Executions.LastOrDefault(e => e.ActivityId == incident.ActivityId);
        return new IncidentView(
            incident.ActivityId,
            execution?.NodeId ?? history.Nodes.FindActivity(incident.ActivityId)?.NodeId ?? WorkflowNode,
            execution?.Id.ToString("D") ?? history.Instance.Summary.Id.ToString("D"),
            incident.ActivityType, incident.Message, new ExceptionView(incident.Code, incident.Message), incident.Timestamp);
    }

    private static IncidentView Incident(RunHistory history, FailedImage failure)
    {
        var place = FailedActivity.Of(history, failure);
        return new IncidentView(
            place.ActivityId, place.NodeId, place.InstanceId, place.Type, ImageText(failure),
            new ExceptionView(failure.Code, failure.Message), failure.At);
    }

    public static string ImageText(FailedImage failure) => $"Row {failure.Row}, image {failure.Position}: {failure.Message}";

    /// <summary>A failed image as data.</summary>
    public static Dictionary<string, object?> ImageFacts(FailedImage failure) => new()
    {
        ["Row"] = failure.Row,
        ["Position"] = failure.Position,
        ["Url"] = failure.Url,
        ["Attempts"] = failure.Attempts,
        ["Code"] = failure.Code,
        ["Message"] = failure.Message,
    };

    private static string NodeOf(RunHistory history, OpenBookmark bookmark) =>
        history.Executions.FirstOrDefault(execution => execution.Id == bookmark.Id)?.NodeId
        ?? history.Nodes.FindActivity(bookmark.ActivityId)?.NodeId
        ?? WorkflowNode;

    private static Dictionary<string, object?> Input(InstanceDetail instance) => new()
    {
        ["RequestId"] = instance.Summary.RequestId.ToString(),
        ["Run"] = instance.Summary.Run,
        ["FileName"] = instance.FileName,
        ["Products"] = instance.Products,
        ["Images"] = instance.Images,
    };

    /// <summary>The request's results; they describe only its current run.</summary>
    private static Dictionary<string, object?> Output(InstanceDetail instance) => instance.Summary is { IsCurrentRun: true, IsRunning: false }
        ? new()
        {
            ["Status"] = instance.RequestStatus.ToText(),
            ["ImagesSucceeded"] = instance.ImagesSucceeded,
            ["ImagesFailed"] = instance.ImagesFailed,
        }
        : [];

    private static Dictionary<string, object?> Properties(InstanceDetail instance) => instance.JournalRemovedAt is { } removed
        ? new() { ["JournalRemovedAt"] = removed }
        : [];
}

/// <summary>Where a failed image is shown: at the activity that failed, else at the fan-out that ran its body.</summary>
internal readonly record struct FailedActivity(string ActivityId, string NodeId, string InstanceId, string Type, int Version, string Name)
{
    public static FailedActivity Of(RunHistory history, FailedImage failure)
    {
        var instance = history.Instance.Summary.Id;
        if (failure.NodeId is { } id && history.Counts.FirstOrDefault(count => count.Node.NodeId == id) is { } count)
            return new FailedActivity(count.Node.ActivityId, id, count.IdIn(instance), count.Node.Type, count.Node.Version, count.Node.Name);
        if (history.FanOut is { } fanOut)
            return new FailedActivity(fanOut.ActivityId, fanOut.NodeId, fanOut.Id.ToString("D"), fanOut.ActivityType, 1, fanOut.ActivityName);
        return new FailedActivity(
            RunPresenter.WorkflowNode, RunPresenter.WorkflowNode, instance.ToString("D"), "Elsa.Workflow", 1, history.Instance.Summary.Name);
    }
}
