using System.ComponentModel;
using Darkroom.Access;
using Darkroom.Api.Server;
using Darkroom.Engine;
using Darkroom.Runs;
using Microsoft.Extensions.Options;

namespace Darkroom.Api.Requests;

/// <summary><c>GET /v1/workflows</c>: the workflows that an upload may choose. They are edited in Studio.</summary>
internal static class WorkflowEndpoints
{
    public static void MapWorkflows(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/workflows", ListAsync)
            .RequireAuthorization(Scopes.Requests)
            .WithTags("Requests")
            .WithName("ListWorkflows")
            .WithSummary("List the available workflows")
            .WithDescription("Sorted by name. An upload selects one by its id, in the field workflow; without it, the default runs.")
            .Produces<WorkflowListView>()
            .ProducesProblem(StatusCodes.Status401Unauthorized)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable)
            .WithRequestTimeout(ApiServer.QueryTimeout);

    private static async Task<IResult> ListAsync(
        DefinitionStore definitions, IOptions<EngineOptions> engine, CancellationToken cancellationToken)
    {
        var (published, _) = await definitions.ListAsync(new DefinitionFilter { Versions = VersionOptions.Published }, cancellationToken).WaitAsync(cancellationToken);
        var items = published.Select(workflow => new PublishedWorkflowView(
            workflow.DefinitionId, workflow.Name, workflow.Description, workflow.Version, workflow.DefinitionId == engine.Value.DefaultWorkflow));
        return TypedResults.Json(new WorkflowListView([.. items]), RequestJson.Default.WorkflowListView);
    }
}

internal sealed record WorkflowListView(IReadOnlyList<PublishedWorkflowView> Items);

internal sealed record PublishedWorkflowView(
    [property: Description("The value for an upload's field workflow.")] string Id,
    string Name,
    string? Description,
    [property: Description("The published version. A request accepted now keeps this version for its whole run.")] int Version,
    [property: Description("True for the workflow that runs if an upload selects none.")] bool IsDefault);
