using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Nodes;
using Darkroom.Access;
using Darkroom.Api.Access;
using Darkroom.Api.Problems;
using Darkroom.Engine.Definitions;
using Darkroom.Runs;

namespace Darkroom.Api.Elsa.Definitions;

/// <summary>Shared by the definition endpoints: shows versions and reports the result of a change.</summary>
internal sealed class DefinitionResults(DefinitionSerializer text)
{
    /// <summary>Distinguishes windows of one person; our Studio page sends a random value.</summary>
    public const string EditorHeader = "Darkroom-Editor";

    public static bool MayEdit(ClaimsPrincipal user) => user.HasScope(Scopes.WorkflowsEdit);

    public static string EditorOf(HttpContext context) =>
        context.Request.Headers[EditorHeader].ToString() is { Length: > 0 and <= 100 } window && window.All(char.IsAsciiLetterOrDigit)
            ? $"{context.User.OwnerId()} {window}"
            : context.User.OwnerId().ToString();

    /// <summary>The whole definition, as editors expect it.</summary>
    public JsonObject Show(WorkflowDefinition version, bool mayEdit)
    {
        var definition = text.Show(version);
        definition["links"] = JsonSerializer.SerializeToNode(DefinitionLinks.Of(version.Summary.DefinitionId, mayEdit), ElsaJson.Options);
        return definition;
    }

    /// <summary>The response to a change, made by a caller who may edit.</summary>
    public static IResult ToResult(DefinitionEdit edit, Func<DefinitionEdit.Done, object> done) => edit switch
    {
        DefinitionEdit.Done ended => ElsaJson.Ok(done(ended)),
        DefinitionEdit.Invalid invalid => ElsaProblems.Refused("invalid_workflow", invalid.Messages),
        DefinitionEdit.Refused refused => ElsaProblems.Refused(refused.Code, refused.Message),
        _ => ElsaProblems.NotFound("workflow definition of this id"),
    };

    public SavedDefinitionView Saved(DefinitionEdit.Done edit) => new(Show(edit.Version, mayEdit: true), edit.WasAlready);

    /// <summary>Reads a definition that is to be stored.</summary>
    /// <exception cref="ApiProblemException">It cannot be stored, not even as a draft.</exception>
    public WorkflowDocument Read(JsonObject model)
    {
        try
        {
            return text.Read(model);
        }
        catch (WorkflowDefinitionException e)
        {
            throw new ApiProblemException(ElsaProblems.Refused("unreadable_workflow", e.Messages), e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            // Half a surrogate pair in a string, for example.
            throw new ApiProblemException(ElsaProblems.Refused("unreadable_workflow", "The definition holds text that is no valid Unicode."), e);
        }
    }

    /// <summary>The id to give a definition; null for none.</summary>
    /// <exception cref="ApiProblemException">It cannot be used as an id.</exception>
    public static string? DefinitionId(JsonObject model)
    {
        var id = model["definitionId"] is JsonValue value && value.TryGetValue<string>(out var given) ? given.Trim() : null;
        if (string.IsNullOrEmpty(id))
            return null;
        if (id.Length > 200 || id.Any(char.IsControl) || id.Contains('/', StringComparison.Ordinal))
            throw new ApiProblemException(ElsaProblems.Refused("invalid_definition_id", "A definition id has at most 200 characters, and no slash among them."));
        return id;
    }
}
