using System.Security.Claims;
using Darkroom.Access;
using Darkroom.Api.Access;
using Darkroom.Api.Requests;
using Darkroom.Retention;
using Darkroom.Runs;

namespace Darkroom.Api.Elsa.Instances;

/// <summary>Workflow instances: listing, reading, cancelling and deleting them.</summary>
internal static class InstanceEndpoints
{
    /// <summary>Maximum failed images in a journal and in a list of incidents. The request shows all of them.</summary>
    public const int FailuresShown = 100;

    public static async Task<IResult> SearchAsync(
        InstanceBody<SearchRequest> body, ClaimsPrincipal user, WorkflowInstanceReader instances, CancellationToken cancellationToken)
    {
        if ((body.Value ?? new SearchRequest()).ToQuery() is not { } query)
            return ElsaJson.Ok(new PageView<InstanceView>([], 0));
        var (items, total) = await instances.SearchAsync(user.InstanceScope(), query, cancellationToken).WaitAsync(cancellationToken);
        return ElsaJson.Ok(new PageView<InstanceView>([.. items.Select(InstanceView.From)], total));
    }

    public static async Task<IResult> GetAsync(string id, ClaimsPrincipal user, WorkflowInstanceReader instances, CancellationToken cancellationToken) =>
        await instances.FindHistoryAsync(user, id, FailuresShown, cancellationToken) is { } history
            ? ElsaJson.Ok(RunPresenter.Detail(history))
            : InstanceProblems.NotFound;

    public static async Task<IResult> GetStateAsync(string id, ClaimsPrincipal user, WorkflowInstanceReader instances, CancellationToken cancellationToken) =>
        Guid.TryParse(id, out var instance)
        && await instances.FindSummaryAsync(user.InstanceScope(), instance, cancellationToken).WaitAsync(cancellationToken) is { } summary
            ? ElsaJson.Ok(new ExecutionStateView(summary.Status, summary.SubStatus, summary.SubStatus, summary.UpdatedAt))
            : InstanceProblems.NotFound;

    public static async Task<IResult> GetJournalAsync(
        string id, int? skip, int? take, InstanceBody<JournalRequest> body, ClaimsPrincipal user, WorkflowInstanceReader instances, CancellationToken cancellationToken)
    {
        if (await instances.FindHistoryAsync(user, id, FailuresShown, cancellationToken) is not { } history)
            return InstanceProblems.NotFound;
        var entries = JournalPresenter.Events(history);
        if (body.Value?.Filter is { } filter)
            entries = [.. entries.Where(filter.Matches)];
        var page = entries.Skip(Math.Max(skip ?? 0, 0)).Take(Math.Clamp(take ?? 1_000, 0, 1_000)).ToList();
        return ElsaJson.Ok(new PageView<JournalRecordView>(page, entries.Count));
    }

    public static async Task<IResult> GetVariablesAsync(string id, ClaimsPrincipal user, WorkflowInstanceReader instances, CancellationToken cancellationToken)
    {
        if (await instances.FindHistoryAsync(user, id, 0, cancellationToken) is not { } history)
            return InstanceProblems.NotFound;
        var variables = history.Instance.State.Variables
            .OrderBy(variable => variable.Key, StringComparer.Ordinal)
            .Select(variable => new VariableView(
                history.Nodes.VariableIds.GetValueOrDefault(variable.Key, variable.Key), variable.Key,
                variable.Value.ValueKind is System.Text.Json.JsonValueKind.Undefined ? null : variable.Value));
        return ElsaJson.List<VariableView>([.. variables]);
    }

    /// <summary>Cancels the instance's request. One that has already ended is left as it is, and the response says so.</summary>
    public static async Task<IResult> CancelAsync(
        string id, ClaimsPrincipal user, WorkflowInstanceReader instances, LifecycleChanges changes, CancellationToken cancellationToken)
    {
        if (!Guid.TryParse(id, out var instance)
            || await instances.FindSummaryAsync(user.InstanceScope(), instance, cancellationToken) is not { } summary)
            return InstanceProblems.NotFound;
        var result = await InstanceBulk.CancelRunAsync(summary, changes, cancellationToken);
        return ElsaJson.Ok(new
        {
            Cancelled = result is LifecycleResult.Done,
            Message = result switch
            {
                LifecycleResult.Done => "The request was cancelled. Finished images are kept; no more are started.",
                null => "The request is still being cancelled; this is taking longer than usual.",
                _ => "The instance had already ended; nothing was changed.",
            },
        });
    }

    public static async Task<IResult> DeleteAsync(string id, ClaimsPrincipal user, InstanceRemover remover, CancellationToken cancellationToken)
    {
        if (!Guid.TryParse(id, out var instance))
            return InstanceProblems.NotFound;
        return await remover.DeleteAsync(user.InstanceScope(), instance, cancellationToken) switch
        {
            RemovalResult.NotFound => InstanceProblems.NotFound,
            RemovalResult.StillRunning => InstanceProblems.StillRunning,
            _ => ElsaJson.Ok(new { Deleted = 1, Message = InstanceBulk.DeletedMessage }),
        };
    }

    /// <summary>Null for text that is not an id, as for an id that is unknown or another owner's.</summary>
    public static async Task<RunHistory?> FindHistoryAsync(
        this WorkflowInstanceReader instances, ClaimsPrincipal user, string? id, int failures, CancellationToken cancellationToken) =>
        Guid.TryParse(id, out var instance)
            ? await instances.FindHistoryAsync(user.InstanceScope(), instance, failures, cancellationToken).WaitAsync(cancellationToken)
            : null;

    /// <summary>Administrators see everyone's instances, others those of their own requests.</summary>
    public static InstanceScope InstanceScope(this ClaimsPrincipal user) =>
        user.HasScope(Scopes.Admin) ? Darkroom.Runs.InstanceScope.Everyone : new InstanceScope(user.OwnerId());
}
