using System.Text.Json.Nodes;
using Darkroom.Runs;

namespace Darkroom.Api.Elsa.Definitions;

/// <summary>One action on many definitions. Each is a separate change: a refusal does not stop the others.</summary>
internal static class DefinitionBulkEndpoints
{
    public static void MapBulk(this IEndpointRouteBuilder edit)
    {
        edit.MapPost("/bulk-actions/delete/workflow-definitions/by-definition-id", DeleteAsync);
        edit.MapPost("/bulk-actions/delete/workflow-definitions/by-id", DeleteVersionsAsync);
        edit.MapPost("/bulk-actions/publish/workflow-definitions/by-definition-ids", PublishAsync);
        edit.MapPost("/bulk-actions/retract/workflow-definitions/by-definition-ids", RetractAsync);
    }

    private static async Task<IResult> DeleteAsync(HttpRequest request, DefinitionStore definitions, CancellationToken cancellationToken)
    {
        var outcome = await ForEachAsync(request, "definitionIds", definitions.DeleteAsync, cancellationToken);
        return ElsaJson.Ok(new { Deleted = outcome.Done.Count, outcome.NotFound, outcome.Refused });
    }

    private static async Task<IResult> DeleteVersionsAsync(HttpRequest request, DefinitionStore definitions, CancellationToken cancellationToken)
    {
        var outcome = await ForEachAsync(request, "ids", definitions.DeleteVersionAsync, cancellationToken);
        return ElsaJson.Ok(new { Deleted = outcome.Done.Count, outcome.NotFound, outcome.Refused });
    }

    private static async Task<IResult> PublishAsync(HttpRequest request, DefinitionStore definitions, CancellationToken cancellationToken)
    {
        var outcome = await ForEachAsync(request, "definitionIds", definitions.PublishAsync, cancellationToken);
        return ElsaJson.Ok(new
        {
            Published = outcome.Done,
            AlreadyPublished = outcome.WasAlready,
            outcome.NotFound,
            UpdatedConsumers = Array.Empty<string>(),
            outcome.Refused,
        });
    }

    private static async Task<IResult> RetractAsync(HttpRequest request, DefinitionStore definitions, CancellationToken cancellationToken)
    {
        var outcome = await ForEachAsync(request, "definitionIds", definitions.RetractAsync, cancellationToken);
        return ElsaJson.Ok(new { Retracted = outcome.Done, AlreadyRetracted = outcome.WasAlready, outcome.NotFound, outcome.Refused });
    }

    private static async Task<BulkOutcome> ForEachAsync(
        HttpRequest request, string list, Func<string, CancellationToken, Task<DefinitionEdit>> act, CancellationToken cancellationToken)
    {
        var body = await ElsaBody.ReadAsync(request, cancellationToken);
        var outcome = new BulkOutcome([], [], [], []);
        foreach (var id in body.Texts(list).Distinct(StringComparer.Ordinal))
            outcome.Add(id, await act(id, cancellationToken));
        return outcome;
    }

    /// <param name="Refused">Studio ignores it; other clients may use it.</param>
    private sealed record BulkOutcome(List<string> Done, List<string> WasAlready, List<string> NotFound, List<BulkRefusal> Refused)
    {
        public void Add(string id, DefinitionEdit edit)
        {
            switch (edit)
            {
                case DefinitionEdit.Done done:
                    (done.WasAlready ? WasAlready : Done).Add(id);
                    break;
                case DefinitionEdit.Invalid invalid:
                    Refused.Add(new BulkRefusal(id, invalid.Messages));
                    break;
                case DefinitionEdit.Refused refused:
                    Refused.Add(new BulkRefusal(id, [refused.Message]));
                    break;
                default:
                    NotFound.Add(id);
                    break;
            }
        }
    }

    private sealed record BulkRefusal(string Id, IReadOnlyList<string> Errors);
}
