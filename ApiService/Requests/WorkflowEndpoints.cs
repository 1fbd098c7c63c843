using System.ComponentModel;
using Darkroom.Access;
using Darkroom.Api.Server;
using Darkroom.Engine;
using Darkroom.Runs;
using Microsoft.Extensions.Options;

namespace Darkroom.Api.Requests;

/// <summary><c>GET /v1/workflows</c>: what an upload may name. Changing workflows is Studio's business.</summary>
internal static class WorkflowEndpoints
{
    public static void MapWorkflows(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/workflows", ListAsync)
            .RequireAuthorization(Scopes.Requests)
            .WithTags("Requests")
            .WithName("ListWorkflows")
            .WithSummary("List the workflows that a request may run")
            .WithDescription("By name. An upload names one by its id, in the field workflow; one that names none runs the default.")
            .Produces<WorkflowListView>()
            .ProducesProblem(StatusCodes.Status401Unauthorized)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable)
            .WithRequestTimeout(ApiServer.QueryTimeout);

    private static async Task<IResult> ListAsync(
        HttpContext context, DefinitionStore definitions, IOptions<EngineOptions> engine, CancellationToken cancellationToken)
    {
        var (published, _) = await definitions.ListAsync(new DefinitionFilter { Versions = VersionOptions.Published }, cancellationToken).WaitAsync(cancellationToken);
        context.Response.Headers.CacheControl = "no-store";
        var items = published.Select(workflow => new PublishedWorkflowView(
            workflow.DefinitionId, workflow.Name, workflow.Description, workflow.Version, workflow.DefinitionId == engine.Value.DefaultWorkflow));
        return TypedResults.Json(new WorkflowListView([.. items]), RequestJson.Default.WorkflowListView);
    }
}

internal sealed record WorkflowListView(IReadOnlyList<PublishedWorkflowView> Items);

internal sealed record PublishedWorkflowView(
    [property: Description("What an upload names it by.")] string Id,
    string Name,
    string? Description,
    [property: Description("The published version: a request that is accepted now runs it to its end.")] int Version,
    [property: Description("Run by requests that name none.")] bool IsDefault);
