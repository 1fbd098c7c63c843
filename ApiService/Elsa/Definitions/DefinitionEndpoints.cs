using System.Text.Json.Nodes;
using Darkroom.Access;
using Darkroom.Engine.Definitions;
using Darkroom.Runs;
using Microsoft.Extensions.Options;

namespace Darkroom.Api.Elsa.Definitions;

/// <summary>Workflow definitions as Studio lists, opens, saves and publishes them.</summary>
internal static class DefinitionEndpoints
{
    public static IServiceCollection AddElsaDefinitions(this IServiceCollection services) => services.AddSingleton<DefinitionResults>();

    public static void MapDefinitions(this IEndpointRouteBuilder api)
    {
        api.MapReading();
        api.MapFiles();

        var edit = api.MapGroup("").RequireAuthorization(Scopes.WorkflowsEdit);
        edit.MapEditing();
        edit.MapImport();
        edit.MapBulk();
    }

    private static void MapEditing(this IEndpointRouteBuilder edit)
    {
        edit.MapPost("/workflow-definitions", SaveAsync);
        edit.MapPost("/workflow-definitions/{definitionId}/publish", PublishAsync);
        edit.MapPost("/workflow-definitions/{definitionId}/retract", RetractAsync);
        edit.MapPost("/workflow-definitions/{definitionId}/revert/{version:int}", RevertAsync);
        edit.MapDelete("/workflow-definitions/{definitionId}", DeleteAsync);
        edit.MapDelete("/workflow-definition-versions/{id}", DeleteVersionAsync);
        edit.MapDelete("/workflow-definitions/{definitionId}/version/{version:int}", DeleteNumberAsync);
        // Workflows cannot be used as activities here, so there are never references to update.
        edit.MapPost("/workflow-definitions/{definitionId}/update-references", () => ElsaJson.Ok(new { AffectedWorkflows = Array.Empty<string>() }));
    }

    private static async Task<IResult> SaveAsync(
        HttpContext context, DefinitionResults results, DefinitionStore definitions, CancellationToken cancellationToken)
    {
        var body = await ElsaBody.ReadAsync(context.Request, cancellationToken);
        if (body["model"] is not JsonObject model)
            return ElsaProblems.Refused("no_model", "The body has no model.");
        var publish = body["publish"] is JsonValue flag && flag.TryGetValue<bool>(out var requested) && requested;

        var definitionId = DefinitionResults.DefinitionId(model);
        var versionId = model["id"] is JsonValue value && value.TryGetValue<string>(out var given) && given.Length > 0 ? given : null;
        // A copy carries the revision of the definition it was copied from, which says nothing about the copy.
        var revision = definitionId is null ? null : DefinitionSerializer.RevisionOf(model);
        var from = new EditBase(DefinitionResults.EditorOf(context), revision, versionId);
        return DefinitionResults.ToResult(await definitions.SaveAsync(definitionId, results.Read(model), from, publish, cancellationToken), results.Saved);
    }

    private static async Task<IResult> PublishAsync(
        string definitionId, DefinitionResults results, DefinitionStore definitions, CancellationToken cancellationToken) =>
        DefinitionResults.ToResult(await definitions.PublishAsync(definitionId, cancellationToken), results.Saved);

    private static async Task<IResult> RetractAsync(
        string definitionId, DefinitionResults results, DefinitionStore definitions, CancellationToken cancellationToken) =>
        DefinitionResults.ToResult(await definitions.RetractAsync(definitionId, cancellationToken), done => results.Show(done.Version, mayEdit: true));

    private static async Task<IResult> RevertAsync(
        string definitionId, int version, HttpContext context, DefinitionResults results, DefinitionStore definitions, CancellationToken cancellationToken) =>
        DefinitionResults.ToResult(
            await definitions.RevertAsync(definitionId, version, DefinitionResults.EditorOf(context), cancellationToken),
            done => DefinitionSummaryView.From(done.Version.Summary, mayEdit: true));

    private static async Task<IResult> DeleteAsync(string definitionId, DefinitionStore definitions, CancellationToken cancellationToken) =>
        Deleted(await definitions.DeleteAsync(definitionId, cancellationToken));

    private static async Task<IResult> DeleteVersionAsync(string id, DefinitionStore definitions, CancellationToken cancellationToken) =>
        Deleted(await definitions.DeleteVersionAsync(id, cancellationToken));

    private static async Task<IResult> DeleteNumberAsync(
        string definitionId, int version, DefinitionStore definitions, CancellationToken cancellationToken) =>
        await definitions.FindAsync(definitionId, VersionOptions.Exactly(version), cancellationToken) is { } found
            ? Deleted(await definitions.DeleteVersionAsync(found.Summary.Id, cancellationToken))
            : ElsaProblems.NotFound("version of this number");

    private static IResult Deleted(DefinitionEdit edit) => edit switch
    {
        DefinitionEdit.Done => Results.NoContent(),
        DefinitionEdit.Refused refused => ElsaProblems.Conflict(refused.Code, refused.Message),
        _ => ElsaProblems.NotFound("such workflow definition"),
    };
}
