using System.Globalization;
using System.IO.Compression;
using System.Security.Claims;
using System.Text.Json;
using Darkroom.Api.Requests;
using Darkroom.Data;
using Darkroom.Retention;
using Darkroom.Runs;

namespace Darkroom.Api.Elsa.Instances;

/// <summary>Several instances at once. Ids that are unknown, another owner's or in the wrong state are skipped; the counts show it.</summary>
internal static class InstanceBulk
{
    public const int MaxIds = 1_000;

    public const string DeletedMessage =
        "The workflow instance and its journal are deleted. The request stays with its status, its images and their errors, and its output CSV.";

    public static async Task<IResult> DeleteAsync(InstanceBody<BulkRequest> body, ClaimsPrincipal user, InstanceRemover remover, CancellationToken cancellationToken)
    {
        if (Ids(body.Value?.Ids) is not { } ids)
            return InstanceProblems.NoIds;
        var (deleted, running) = (0, 0);
        foreach (var id in ids)
        {
            var result = await remover.DeleteAsync(user.InstanceScope(), id, cancellationToken);
            if (result == RemovalResult.Removed)
                deleted++;
            if (result == RemovalResult.StillRunning)
                running++;
        }

        var message = running == 0 ? DeletedMessage : $"{DeletedMessage} {running} still running: cancel them first.";
        return ElsaJson.Ok(new { Deleted = deleted, StillRunning = running, Message = message });
    }

    public static async Task<IResult> CancelAsync(
        InstanceBody<BulkCancelRequest> body, ClaimsPrincipal user, WorkflowInstanceReader instances, DefinitionStore definitions, LifecycleChanges changes,
        CancellationToken cancellationToken)
    {
        if (body.Value is not { } request || await QueryAsync(request, definitions, cancellationToken) is not { } query)
            return InstanceProblems.NothingNamed;
        var cancelled = 0;
        while (query is not null)
        {
            var (items, _) = await instances.SearchAsync(user.InstanceScope(), query, cancellationToken);
            var before = cancelled;
            foreach (var instance in items)
                if (await CancelRunAsync(instance, changes, cancellationToken) is LifecycleResult.Done)
                    cancelled++;
            // Cancelled instances are not found again; those that could not be cancelled would be found forever.
            query = items.Count == MaxIds && cancelled > before ? query : null;
        }

        return ElsaJson.Ok(new { CancelledCount = cancelled, Message = $"{(cancelled == 1 ? "1 instance was" : $"{cancelled} instances were")} cancelled." });
    }

    /// <summary>The running instances that the request selects; null if it selects none.</summary>
    private static async Task<InstanceQuery?> QueryAsync(BulkCancelRequest request, DefinitionStore definitions, CancellationToken cancellationToken)
    {
        var running = new InstanceQuery { Statuses = ["Running"], Take = MaxIds };
        if (request.Ids is { Count: > 0 })
            return Ids(request.Ids) is { Count: > 0 } ids ? running with { Ids = ids } : null;
        if (request.DefinitionVersionId is { Length: > 0 } version)
            return running with { DefinitionVersionIds = [version] };
        if (request.DefinitionId is not { Length: > 0 } definition || VersionOptions.Parse(request.VersionOptions) is not { } versions)
            return null;
        var (found, _) = await definitions.ListAsync(new DefinitionFilter { DefinitionIds = [definition], Versions = versions }, cancellationToken);
        return found.Count == 0 ? null : running with { DefinitionVersionIds = [.. found.Select(item => item.Id)] };
    }

    /// <summary>Conflict if the run had already ended; null if it is still being cancelled.</summary>
    public static async Task<LifecycleResult?> CancelRunAsync(InstanceSummary instance, LifecycleChanges changes, CancellationToken cancellationToken) =>
        instance is { IsRunning: true, IsCurrentRun: true }
            ? await changes.CancelAsync(instance.OwnerId, instance.RequestId, cancellationToken)
            : LifecycleResult.Conflict;

    public static async Task<IResult> ExportOneAsync(string id, ClaimsPrincipal user, WorkflowInstanceReader instances, CancellationToken cancellationToken) =>
        await instances.FindHistoryAsync(user, id, InstanceEndpoints.FailuresShown, cancellationToken) is { } history
            ? Results.File(Serialize(history), "application/json", FileName(history))
            : InstanceProblems.NotFound;

    public static async Task<IResult> ExportAsync(InstanceBody<BulkRequest> body, ClaimsPrincipal user, WorkflowInstanceReader instances, CancellationToken cancellationToken)
    {
        if (Ids(body.Value?.Ids) is not { } ids)
            return InstanceProblems.NoIds;
        using var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var id in ids)
            {
                if (await instances.FindHistoryAsync(user.InstanceScope(), id, InstanceEndpoints.FailuresShown, cancellationToken) is not { } history)
                    continue;
                await using var entry = await zip.CreateEntry(FileName(history)).OpenAsync(cancellationToken);
                await entry.WriteAsync(Serialize(history), cancellationToken);
            }
        }

        return Results.File(file.ToArray(), "application/zip", "workflow-instances.zip");
    }

    private static List<Guid>? Ids(IReadOnlyList<string>? texts)
    {
        if (texts is not { Count: > 0 and <= MaxIds })
            return null;
        var ids = new List<Guid>();
        foreach (var text in texts)
            if (Guid.TryParse(text, out var id))
                ids.Add(id);
        return ids;
    }

    private static byte[] Serialize(RunHistory history) => JsonSerializer.SerializeToUtf8Bytes(
        new InstanceExportView(
            RunPresenter.State(history), RunPresenter.Bookmarks(history), ExecutionPresenter.Records(history), JournalPresenter.Events(history)),
        ElsaJson.Options);

    private static string FileName(RunHistory history) =>
        string.Create(CultureInfo.InvariantCulture, $"workflow-instance-{history.Instance.Summary.Id:D}.json");
}
