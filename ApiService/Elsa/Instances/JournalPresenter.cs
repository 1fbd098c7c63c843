using Darkroom.Data;
using Darkroom.Runs;

namespace Darkroom.Api.Elsa.Instances;

/// <summary>
/// A run as a list of events. It is derived from the executions, which are all that is stored: a row per event would add nothing.
/// Events follow the order of the executions and not their times, which come from the clocks of different machines.
/// </summary>
internal static class JournalPresenter
{
    private const string Workflow = "Elsa.Workflow";

    public static IReadOnlyList<JournalRecordView> Events(RunHistory history)
    {
        var journal = new List<JournalRecordView>();
        var instance = history.Instance.Summary;
        if (history.Instance.State.Started)
            journal.Add(OfWorkflow(history, "Started", instance.CreatedAt));
        foreach (var execution in history.Executions)
            journal.AddRange(OfExecution(history, execution));
        if (WorkflowEnd(instance) is { } end)
            journal.Add(OfWorkflow(history, end, instance.FinishedAt ?? instance.UpdatedAt));
        return [.. journal.Select((entry, i) => entry with { Sequence = i + 1 })];
    }

    private static string? WorkflowEnd(InstanceSummary instance) => instance.SubStatus switch
    {
        "Finished" => "Completed",
        "Faulted" => "Faulted",
        "Cancelled" => "Canceled",
        "Suspended" => "Suspended",
        _ => null,
    };

    private static IEnumerable<JournalRecordView> OfExecution(RunHistory history, RecordedExecution execution)
    {
        yield return Of(history, execution, "Started", execution.StartedAt, null);
        if (execution.SuspendedAt is { } suspended)
            yield return Of(history, execution, "Suspended", suspended, null);
        if (execution.Id == history.FanOut?.Id)
            foreach (var failure in OfImages(history, execution))
                yield return failure;
        if (execution.CompletedAt is not { } completed)
            yield break;
        if (execution is { SuspendedAt: not null, Status: not "Canceled" })
            yield return Of(history, execution, "Resumed", completed, null);
        yield return Of(history, execution, execution.Status, completed, ExecutionPresenter.Record(history, execution).Exception?.Message);
    }

    private static JournalRecordView Of(
        RunHistory history, RecordedExecution execution, string eventName, DateTimeOffset at, string? message)
    {
        var payload = eventName is "Started" or "Suspended" or "Resumed" ? null : ExecutionPresenter.Record(history, execution).Payload;
        return new JournalRecordView(
            $"{execution.Id:N}-{eventName}", execution.Id.ToString("D"), ParentActivityInstanceId: null, execution.ActivityId, execution.ActivityType,
            ExecutionPresenter.Version(history, execution.NodeId), execution.ActivityName, execution.NodeId, at, Sequence: 0, eventName,
            message, execution.ActivityType, execution.Inputs, payload);
    }

    private static IEnumerable<JournalRecordView> OfImages(RunHistory history, RecordedExecution fanOut)
    {
        foreach (var failure in history.Failures)
        {
            var place = FailedActivity.Of(history, failure);
            yield return new JournalRecordView(
                $"{fanOut.Id:N}-{failure.Row}-{failure.Position}", place.InstanceId, fanOut.Id.ToString("D"), place.ActivityId, place.Type,
                place.Version, place.Name, place.NodeId, failure.At, Sequence: 0, "Faulted", RunPresenter.ImageText(failure), place.Type,
                RunPresenter.ImageFacts(failure), new Dictionary<string, object?> { ["Steps"] = failure.Steps });
        }

        if (history.Instance.Summary.IsCurrentRun && history.Instance.ImagesFailed > history.Failures.Count)
            yield return Of(
                history, fanOut, "Message", history.Instance.Summary.UpdatedAt,
                $"{history.Instance.ImagesFailed} images failed; the first {history.Failures.Count} are shown here, and all of them with the request.");
    }

    private static JournalRecordView OfWorkflow(RunHistory history, string eventName, DateTimeOffset at)
    {
        var instance = history.Instance.Summary;
        var message = eventName == "Faulted" && history.Instance.State.Incidents is [.., var last] ? last.Message : null;
        return new JournalRecordView(
            $"{instance.Id:N}-{eventName}", instance.Id.ToString("D"), ParentActivityInstanceId: null, RunPresenter.WorkflowNode, Workflow, 1,
            instance.Name, RunPresenter.WorkflowNode, at, Sequence: 0, eventName, message, Workflow, ActivityState: null, Payload: null);
    }
}
