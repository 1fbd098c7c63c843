using System.Security.Claims;
using Darkroom.Runs;

namespace Darkroom.Api.Elsa.Definitions;

/// <summary>Lists and opens definitions.</summary>
internal static class DefinitionListEndpoints
{
    private const int LargestPage = 1000;

    public static void MapReading(this IEndpointRouteBuilder api)
    {
        api.MapGet("/workflow-definitions", ListAsync);
        api.MapGet("/workflow-definitions/by-definition-id/{definitionId}", FindAsync);
        api.MapGet("/workflow-definitions/by-id/{id}", FindVersionAsync);
        api.MapGet("/workflow-definitions/many-by-id", FindManyAsync);
        api.MapGet("/workflow-definitions/query/count", CountAsync);
        api.MapGet("/workflow-definitions/validation/is-name-unique", IsNameUniqueAsync);
        api.MapGet("/workflow-definitions/{definitionId}/versions", ListVersionsAsync);
        // A workflow cannot be used as an activity here, so nothing consumes another.
        api.MapGet("/workflow-definitions/{definitionId}/consumers", () => ElsaJson.Ok(new { ConsumingWorkflowDefinitionIds = Array.Empty<string>() }));
    }

    private static async Task<IResult> ListAsync(ElsaQuery query, ClaimsPrincipal user, DefinitionStore definitions, CancellationToken cancellationToken)
    {
        if (VersionOptions.Parse(query.Text("versionOptions")) is not { } versions)
            return UnknownVersions;
        var mayEdit = DefinitionResults.MayEdit(user);
        var order = Enum.TryParse<DefinitionOrder>(query.Text("OrderBy"), ignoreCase: true, out var column) ? column : DefinitionOrder.Name;
        var size = Math.Clamp(query.Number("PageSize") ?? LargestPage, 1, LargestPage);
        var filter = new DefinitionFilter
        {
            Versions = versions,
            DefinitionIds = query.List("DefinitionIds"),
            Ids = query.List("Ids"),
            Search = query.Text("SearchTerm"),
            Order = order,
            // By name ascending, anything else newest first, unless the query says otherwise.
            Descending = query.Text("OrderDirection") is { } direction
                ? direction.StartsWith("Desc", StringComparison.OrdinalIgnoreCase)
                : order != DefinitionOrder.Name,
            Skip = (int)Math.Min(int.MaxValue, (long)Math.Max(query.Number("Page") ?? 0, 0) * size),
            Take = size,
        };
        // There are no system workflows.
        if (query.Flag("IsSystem") == true)
            return ElsaJson.Ok(new DefinitionPageView([], 0, DefinitionLinks.OfPage(mayEdit)));
        var (items, total) = await definitions.ListAsync(filter, cancellationToken);
        return ElsaJson.Ok(new DefinitionPageView(
            [.. items.Select(item => DefinitionSummaryView.From(item, mayEdit))], total, DefinitionLinks.OfPage(mayEdit)));
    }

    private static async Task<IResult> FindAsync(
        string definitionId, ElsaQuery query, ClaimsPrincipal user, DefinitionStore definitions, DefinitionResults results, CancellationToken cancellationToken)
    {
        if (VersionOptions.Parse(query.Text("versionOptions") ?? "Latest") is not { } versions)
            return UnknownVersions;
        return await definitions.FindAsync(definitionId, versions, cancellationToken) is { } found
            ? ElsaJson.Ok(results.Show(found, DefinitionResults.MayEdit(user)))
            : ElsaProblems.NotFound("workflow definition of this id in such a version");
    }

    private static async Task<IResult> FindVersionAsync(
        string id, ClaimsPrincipal user, DefinitionStore definitions, DefinitionResults results, CancellationToken cancellationToken) =>
        await definitions.FindVersionsAsync([id], cancellationToken) is [var found]
            ? ElsaJson.Ok(results.Show(found, DefinitionResults.MayEdit(user)))
            : ElsaProblems.NotFound("workflow definition version of this id");

    private static async Task<IResult> FindManyAsync(
        ElsaQuery query, ClaimsPrincipal user, DefinitionStore definitions, DefinitionResults results, CancellationToken cancellationToken)
    {
        var mayEdit = DefinitionResults.MayEdit(user);
        var found = await definitions.FindVersionsAsync(query.List("Ids"), cancellationToken);
        return ElsaJson.List([.. found.Select(version => results.Show(version, mayEdit))]);
    }

    private static async Task<IResult> ListVersionsAsync(
        string definitionId, ClaimsPrincipal user, DefinitionStore definitions, CancellationToken cancellationToken)
    {
        var filter = new DefinitionFilter { DefinitionIds = [definitionId], Order = DefinitionOrder.Version, Descending = true };
        var (items, _) = await definitions.ListAsync(filter, cancellationToken);
        return ElsaJson.List([.. items.Select(item => DefinitionSummaryView.From(item, DefinitionResults.MayEdit(user)))]);
    }

    private static async Task<IResult> CountAsync(DefinitionStore definitions, CancellationToken cancellationToken) =>
        ElsaJson.Ok(new { Count = await definitions.CountAsync(cancellationToken) });

    private static async Task<IResult> IsNameUniqueAsync(ElsaQuery query, DefinitionStore definitions, CancellationToken cancellationToken) =>
        ElsaJson.Ok(new { IsUnique = await definitions.IsNameUniqueAsync(query.Text("name") ?? "", query.Text("definitionId"), cancellationToken) });

    private static IResult UnknownVersions => ElsaProblems.Refused(
        "invalid_version_options",
        "versionOptions is Latest, Published, LatestOrPublished, LatestAndPublished, Draft, AllVersions, a version number, or empty.");
}
