using System.Text.Json.Nodes;
using Darkroom.Engine.Definitions;

namespace Darkroom.Api.Elsa.Definitions;

/// <summary>What the caller may do, in Elsa's format: an editor does not offer an action whose link is missing.</summary>
internal sealed record ElsaLink(string Href, string Rel, string Method);

/// <summary>A version in a list.</summary>
internal sealed record DefinitionSummaryView(
    string Id, string DefinitionId, string Name, string? Description, int Version, bool IsLatest, bool IsPublished, bool IsReadonly,
    string MaterializerName, bool IsMaterializerAvailable, DateTimeOffset CreatedAt, IReadOnlyList<ElsaLink> Links)
{
    public static DefinitionSummaryView From(DefinitionSummary version, bool mayEdit) =>
        new(version.Id, version.DefinitionId, version.Name, version.Description, version.Version, version.IsLatest, version.IsPublished,
            IsReadonly: false, "Json", IsMaterializerAvailable: true, version.CreatedAt, DefinitionLinks.Of(version.DefinitionId, mayEdit));
}

internal sealed record DefinitionPageView(IReadOnlyList<DefinitionSummaryView> Items, long TotalCount, IReadOnlyList<ElsaLink> Links);

/// <summary>The response to a save: the editor continues with this definition.</summary>
internal sealed record SavedDefinitionView(JsonObject WorkflowDefinition, bool AlreadyPublished)
{
    public int ConsumingWorkflowCount { get; }

    public IReadOnlyList<string> ValidationErrors { get; } = [];
}

internal static class DefinitionLinks
{
    public static IReadOnlyList<ElsaLink> Of(string definitionId, bool mayEdit)
    {
        if (!mayEdit)
            return [];
        var path = $"/workflow-definitions/{Uri.EscapeDataString(definitionId)}";
        return
        [
            new ElsaLink($"{path}/publish", "publish", "POST"),
            new ElsaLink($"{path}/retract", "retract", "POST"),
            new ElsaLink(path, "delete", "DELETE"),
        ];
    }

    public static IReadOnlyList<ElsaLink> OfPage(bool mayEdit)
    {
        if (!mayEdit)
            return [];
        const string bulk = "/bulk-actions/{0}/workflow-definitions/by-definition-ids";
        return
        [
            new ElsaLink(bulk.Replace("{0}", "publish", StringComparison.Ordinal), "bulk-publish", "POST"),
            new ElsaLink(bulk.Replace("{0}", "retract", StringComparison.Ordinal), "bulk-retract", "POST"),
            new ElsaLink("/bulk-actions/delete/workflow-definitions/by-definition-id", "bulk-delete", "POST"),
        ];
    }
}
