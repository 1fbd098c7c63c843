using System.Text.Json;
using Darkroom.Bookmarks;
using Darkroom.Queue;
using Darkroom.Runs;

namespace Darkroom.Api.Elsa.Instances;

/// <summary>Executions and their counts. One record represents everything that images did in one activity of a fan-out's body.</summary>
internal static class ExecutionPresenter
{
    /// <summary>The counts of every activity that has run, or of the given nodes only.</summary>
    public static IReadOnlyList<ActivityStatsView> Stats(RunHistory history, IReadOnlyCollection<string>? nodeIds = null)
    {
        var stats = history.Executions.GroupBy(execution => execution.NodeId).Select(group => Stats(history, [.. group]))
            .Concat(history.Counts.Select(count => Stats(history, count)));
        if (nodeIds is not { Count: > 0 })
            return [.. stats];
        var requested = nodeIds.ToHashSet(StringComparer.Ordinal);
        return [.. stats.Where(stat => requested.Contains(stat.ActivityNodeId))];
    }

    public static IReadOnlyList<ExecutionView> Records(RunHistory history, string? nodeId = null, bool? completed = null) =>
    [
        .. history.Executions.Where(execution => nodeId is null || execution.NodeId == nodeId).Select(execution => Record(history, execution))
            .Concat(history.Counts.Where(count => nodeId is null || count.Node.NodeId == nodeId).Select(count => Record(history, count, [])))
            .Where(record => completed is null || (record.CompletedAt is not null) == completed),
    ];

    public static ExecutionView Record(RunHistory history, RecordedExecution execution)
    {
        var isFanOut = execution.ActivityType == FanOutBookmark.Name;
        var counts = isFanOut ? ImageCounts(history) : [];
        var payload = new Dictionary<string, object?> { ["Outcomes"] = execution.Outcomes };
        if (isFanOut)
            payload["Images"] = counts;
        return new ExecutionView(
            execution.Id.ToString("D"), history.Instance.Summary.Id.ToString("D"), execution.ActivityId, execution.NodeId, execution.ActivityType,
            Version(history, execution.NodeId), execution.ActivityName, execution.Inputs, payload, execution.Outputs,
            Properties: new Dictionary<string, object?>(), counts, Exception(execution.Error),
            execution.StartedAt, HasBookmark(history, execution), execution.Status, Faults(history, execution), execution.CompletedAt);
    }

    /// <param name="failures">Images that failed there, to show.</param>
    public static ExecutionView Record(RunHistory history, BodyCount count, IReadOnlyList<FailedImage> failures)
    {
        var running = IsOpen(history);
        var payload = Counts(count);
        if (failures.Count > 0)
            payload["FailedImages"] = failures.Select(Failure).ToList();
        return new ExecutionView(
            count.IdIn(history.Instance.Summary.Id), history.Instance.Summary.Id.ToString("D"), count.Node.ActivityId, count.Node.NodeId,
            count.Node.Type, count.Node.Version, count.Node.Name,
            ActivityState: new Dictionary<string, object?>(), payload, Outputs: null, Properties: new Dictionary<string, object?>(), Counts(count),
            failures.Count > 0 ? new ExceptionView(failures[0].Code, RunPresenter.ImageText(failures[0])) : null,
            count.FirstAt, HasBookmarks: false,
            running ? "Running" : count is { Completed: 0, Faulted: > 0 } ? "Faulted" : "Completed",
            count.Faulted, running ? null : count.LastAt);
    }

    /// <summary>The execution and its containers, outermost first.</summary>
    public static IReadOnlyList<ExecutionView> CallStack(RunHistory history, ExecutionView record)
    {
        var stack = new List<ExecutionView> { record };
        for (var node = history.Nodes.Find(record.ActivityNodeId); node?.Parent is { } parent; node = history.Nodes.Find(parent))
            stack.AddRange(Records(history, parent).TakeLast(1));
        stack.Reverse();
        return stack;
    }

    public static int Version(RunHistory history, string nodeId) => history.Nodes.Find(nodeId)?.Version ?? 1;

    private static ActivityStatsView Stats(RunHistory history, IReadOnlyList<RecordedExecution> executions)
    {
        var last = executions[^1];
        return new ActivityStatsView(
            last.ActivityId, last.NodeId,
            executions.Count,
            executions.Count(execution => execution.Status == "Completed"),
            executions.Count(execution => execution.Status == "Running"),
            IsBlocked: executions.Any(execution => HasBookmark(history, execution)),
            IsFaulted: executions.Any(execution => execution.Status == "Faulted"),
            executions.Sum(execution => Faults(history, execution)),
            last.ActivityType == FanOutBookmark.Name ? ImageCounts(history) : []);
    }

    private static ActivityStatsView Stats(RunHistory history, BodyCount count)
    {
        // An image in progress is known to be in the body, but not in which of its activities.
        var underWay = count.Node.Parent == history.FanOut?.NodeId && IsOpen(history) ? history.Instance.ImagesRunning : 0;
        return new ActivityStatsView(
            count.Node.ActivityId, count.Node.NodeId, count.Completed + count.Faulted + underWay, count.Completed, underWay,
            IsBlocked: false, IsFaulted: count.Faulted > 0, count.Faulted, Counts(count));
    }

    private static bool IsOpen(RunHistory history) => history.FanOut is { Status: "Running" };

    private static bool HasBookmark(RunHistory history, RecordedExecution execution) =>
        history.Instance.Bookmarks.Any(bookmark => bookmark.Id == execution.Id);

    private static long Faults(RunHistory history, RecordedExecution execution) => execution switch
    {
        { Status: "Faulted" } => 1,
        { ActivityType: FanOutBookmark.Name } => Body(history)?.Faulted ?? 0,
        _ => 0,
    };

    /// <summary>The counts of the body as a whole: images, not steps.</summary>
    private static BodyCount? Body(RunHistory history) =>
        history.FanOut is { } fanOut ? history.Counts.FirstOrDefault(count => count.Node.Parent == fanOut.NodeId) : null;

    private static Dictionary<string, object?> ImageCounts(RunHistory history)
    {
        var body = Body(history);
        return new Dictionary<string, object?>
        {
            ["Images"] = history.Instance.Images,
            ["Succeeded"] = body?.Completed ?? 0,
            ["Failed"] = body?.Faulted ?? 0,
            ["Retried"] = body?.Retried ?? 0,
            ["Running"] = IsOpen(history) ? history.Instance.ImagesRunning : 0,
        };
    }

    private static Dictionary<string, object?> Counts(BodyCount count) => new()
    {
        ["Completed"] = count.Completed,
        ["Faulted"] = count.Faulted,
        ["Retried"] = count.Retried,
    };

    private static Dictionary<string, object?> Failure(FailedImage failure)
    {
        var facts = RunPresenter.ImageFacts(failure);
        facts["Steps"] = failure.Steps;
        return facts;
    }

    private static ExceptionView? Exception(JsonElement? error) => error is { ValueKind: JsonValueKind.Object } incident
        ? new ExceptionView(Text(incident, "Code"), Text(incident, "Message"))
        : null;

    private static string Text(JsonElement json, string name) =>
        json.EnumerateObject().FirstOrDefault(property => string.Equals(property.Name, name, StringComparison.OrdinalIgnoreCase)).Value is
        { ValueKind: JsonValueKind.String } text
            ? text.GetString()!
            : "";
}
