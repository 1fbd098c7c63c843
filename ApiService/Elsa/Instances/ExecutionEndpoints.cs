using System.Security.Claims;
using Darkroom.Runs;

namespace Darkroom.Api.Elsa.Instances;

/// <summary>Activity executions: counts, lists, and single records in full.</summary>
internal static class ExecutionEndpoints
{
    // A body activity's record shows some of the images that failed there: enough to see what is wrong.
    private const int FailuresInRecord = 20;

    public static async Task<IResult> ReportAsync(
        InstanceBody<ReportRequest> body, ClaimsPrincipal user, WorkflowInstanceReader instances, CancellationToken cancellationToken) =>
        await instances.FindHistoryAsync(user, body.Value?.WorkflowInstanceId, 0, cancellationToken) is { } history
            ? ElsaJson.Ok(new StatsView(ExecutionPresenter.Stats(history, body.Value!.ActivityNodeIds)))
            : InstanceProblems.NotFound;

    public static async Task<IResult> ListSummariesAsync(
        ElsaQuery query, ClaimsPrincipal user, WorkflowInstanceReader instances, CancellationToken cancellationToken) =>
        await instances.FindHistoryAsync(user, query.Text("WorkflowInstanceId"), 0, cancellationToken) is { } history
            ? ElsaJson.List<ExecutionView>(ExecutionPresenter.Records(history, query.Text("ActivityNodeId"), query.Flag("Completed")))
            : InstanceProblems.NotFound;

    public static async Task<IResult> ListAsync(
        ElsaQuery query, ClaimsPrincipal user, WorkflowInstanceReader instances, CancellationToken cancellationToken)
    {
        if (await instances.FindHistoryAsync(user, query.Text("WorkflowInstanceId"), 0, cancellationToken) is not { } history)
            return InstanceProblems.NotFound;
        var records = ExecutionPresenter.Records(history, query.Text("ActivityNodeId"), query.Flag("Completed"));
        var whole = new List<ExecutionView>(records.Count);
        foreach (var record in records)
            whole.Add(await WithFailuresAsync(history, record, instances, cancellationToken));
        return ElsaJson.List<ExecutionView>([.. whole]);
    }

    public static async Task<IResult> GetAsync(string? id, ClaimsPrincipal user, WorkflowInstanceReader instances, CancellationToken cancellationToken) =>
        await FindAsync(id, user, instances, cancellationToken) is var (_, record) ? ElsaJson.Ok(record) : InstanceProblems.ExecutionNotFound;

    public static async Task<IResult> GetCallStackAsync(string id, ClaimsPrincipal user, WorkflowInstanceReader instances, CancellationToken cancellationToken)
    {
        if (await FindAsync(id, user, instances, cancellationToken) is not var (history, record))
            return InstanceProblems.ExecutionNotFound;
        var stack = ExecutionPresenter.CallStack(history, record);
        return ElsaJson.Ok(new CallStackView(record.Id, stack, stack.Count));
    }

    private static async Task<(RunHistory History, ExecutionView Record)?> FindAsync(
        string? id, ClaimsPrincipal user, WorkflowInstanceReader instances, CancellationToken cancellationToken)
    {
        if (id is null)
            return null;
        Guid? instance =
            ExecutionIds.TryParseBody(id, out var named) ? named
            : Guid.TryParse(id, out var execution) ? await instances.FindInstanceOfAsync(user.InstanceScope(), execution, cancellationToken).WaitAsync(cancellationToken)
            : null;
        if (instance is null || await instances.FindHistoryAsync(user.InstanceScope(), instance.Value, 0, cancellationToken) is not { } history)
            return null;
        var record = ExecutionPresenter.Records(history).FirstOrDefault(r => string.Equals(r.Id, id, StringComparison.OrdinalIgnoreCase));
        return record is null ? null : (history, await WithFailuresAsync(history, record, instances, cancellationToken));
    }

    private static async Task<ExecutionView> WithFailuresAsync(
        RunHistory history, ExecutionView record, WorkflowInstanceReader instances, CancellationToken cancellationToken)
    {
        if (history.Counts.FirstOrDefault(count => count.Node.NodeId == record.ActivityNodeId) is not { Faulted: > 0 } body)
            return record;
        var failures = await instances.ListFailuresAsync(history.Instance, body.Node.NodeId, FailuresInRecord, cancellationToken);
        return ExecutionPresenter.Record(history, body, failures);
    }
}
