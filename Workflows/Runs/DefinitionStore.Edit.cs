using System.Security.Cryptography;
using Darkroom.Data;
using Darkroom.Engine.Definitions;
using Npgsql;

namespace Darkroom.Runs;

// Changes follow Elsa's rules: a draft is edited in place; editing a version that was ever published creates the next
// version. Each change is one transaction under the lock of the definition's id.
public sealed partial class DefinitionStore
{
    // Enough for a burst of saves sent before their responses arrive; an editor further behind has lost track.
    private const int MaxRevisions = 32;

    /// <summary>Creates the definition, or saves it as a draft; also publishes it if requested and possible.</summary>
    /// <param name="definitionId">Null for a new definition with an id of its own.</param>
    public async Task<DefinitionEdit> SaveAsync(
        string? definitionId, WorkflowDocument document, EditBase from, bool publish, CancellationToken cancellationToken)
    {
        var errors = publish ? validator.Validate(document) : [];
        await using var edit = await DefinitionTransaction.BeginAsync(database, definitionId ?? NewId(), cancellationToken);
        if (edit.Latest is not { } latest)
        {
            // An editor that names a version has opened a definition that is gone; an autosave must not bring it back.
            if (definitionId is not null && from.VersionId is not null)
                return Gone;
            await edit.InsertAsync(document, from.Editor, cancellationToken);
        }
        else
        {
            // An editor's own chain of saves: the revision it started from, and every revision it made since.
            var revisions = await edit.ReadRevisionsAsync(from.Editor, cancellationToken);
            if (Conflict(latest.Summary, revisions, from) is { } conflict)
                return conflict;
            if (!DefinitionSerializer.SameContent(latest, document))
            {
                revisions = [.. revisions.Append(latest.Summary.Revision).Distinct().TakeLast(MaxRevisions)];
                if (latest.Summary.WasPublished)
                    await edit.InsertAsync(document, from.Editor, cancellationToken, revisions);
                else
                    await edit.UpdateLatestAsync(document, from.Editor, revisions, cancellationToken);
            }
        }

        if (!publish || errors.Count > 0)
        {
            await edit.CommitAsync(cancellationToken);
            var saved = edit.Latest!;
            return errors.Count == 0 ? new DefinitionEdit.Done(saved) : new DefinitionEdit.Invalid(saved, errors);
        }

        var wasPublished = await edit.PublishLatestAsync(cancellationToken);
        await edit.CommitAsync(cancellationToken);
        return new DefinitionEdit.Done(edit.Latest!, wasPublished);
    }

    /// <summary>Adds the content as the definition's next version, a draft. Earlier versions stay in its history.</summary>
    public async Task<DefinitionEdit> ImportAsync(string? definitionId, WorkflowDocument document, string editor, CancellationToken cancellationToken)
    {
        await using var edit = await DefinitionTransaction.BeginAsync(database, definitionId ?? NewId(), cancellationToken);
        if (edit.Latest is { } latest && DefinitionSerializer.SameContent(latest, document))
            return new DefinitionEdit.Done(latest, WasAlready: true);
        await edit.InsertAsync(document, editor, cancellationToken);
        await edit.CommitAsync(cancellationToken);
        return new DefinitionEdit.Done(edit.Latest!);
    }

    /// <summary>Publishes the latest version, if it can be run.</summary>
    public async Task<DefinitionEdit> PublishAsync(string definitionId, CancellationToken cancellationToken)
    {
        await using var edit = await DefinitionTransaction.BeginAsync(database, definitionId, cancellationToken);
        if (edit.Latest is not { } latest)
            return new DefinitionEdit.Missing();
        if (latest.Summary.IsPublished)
            return new DefinitionEdit.Done(latest, WasAlready: true);
        if (validator.Validate(latest.Text) is { Count: > 0 } errors)
            return new DefinitionEdit.Invalid(latest, errors);
        await edit.PublishLatestAsync(cancellationToken);
        await edit.CommitAsync(cancellationToken);
        return new DefinitionEdit.Done(edit.Latest!);
    }

    /// <summary>Takes the published version out of service for new requests; running ones keep it.</summary>
    public async Task<DefinitionEdit> RetractAsync(string definitionId, CancellationToken cancellationToken)
    {
        await using var edit = await DefinitionTransaction.BeginAsync(database, definitionId, cancellationToken);
        if (edit.Latest is not { } latest)
            return new DefinitionEdit.Missing();
        if (edit.Versions.FirstOrDefault(v => v.Summary.IsPublished) is not { } published)
            return new DefinitionEdit.Done(latest, WasAlready: true);
        if (definitionId == options.Value.DefaultWorkflow)
            return IsDefault("retracted");
        await edit.RetractAsync(cancellationToken);
        await edit.CommitAsync(cancellationToken);
        return new DefinitionEdit.Done(edit.Versions.Single(v => v.Summary.Id == published.Summary.Id));
    }

    /// <summary>Creates a draft with an older version's content.</summary>
    public async Task<DefinitionEdit> RevertAsync(string definitionId, int version, string editor, CancellationToken cancellationToken)
    {
        await using var edit = await DefinitionTransaction.BeginAsync(database, definitionId, cancellationToken);
        if (edit.Versions.FirstOrDefault(v => v.Summary.Version == version) is not { } old)
            return new DefinitionEdit.Missing();
        await edit.CopyAsync(old, editor, cancellationToken);
        await edit.CommitAsync(cancellationToken);
        return new DefinitionEdit.Done(edit.Latest!);
    }

    /// <summary>Deletes a definition with all its versions.</summary>
    public async Task<DefinitionEdit> DeleteAsync(string definitionId, CancellationToken cancellationToken)
    {
        await using var edit = await DefinitionTransaction.BeginAsync(database, definitionId, cancellationToken);
        if (edit.Latest is not { } latest)
            return new DefinitionEdit.Missing();
        if (definitionId == options.Value.DefaultWorkflow)
            return IsDefault("deleted");
        return await DeleteAsync(edit, edit.Versions, latest, cancellationToken);
    }

    /// <summary>Deletes one version; if it was the latest, the one before it is the latest again.</summary>
    public async Task<DefinitionEdit> DeleteVersionAsync(string id, CancellationToken cancellationToken)
    {
        var definitionId = (string?)await database.Sql("select definition_id from workflow_definitions where id = @id").With("id", id)
            .ExecuteScalarAsync(cancellationToken);
        if (definitionId is null)
            return new DefinitionEdit.Missing();
        await using var edit = await DefinitionTransaction.BeginAsync(database, definitionId, cancellationToken);
        if (edit.Versions.FirstOrDefault(v => v.Summary.Id == id) is not { } found)
            return new DefinitionEdit.Missing();
        if (definitionId == options.Value.DefaultWorkflow && (found.Summary.IsPublished || edit.Versions.Count == 1))
            return IsDefault("deleted");
        return await DeleteAsync(edit, [found], found, cancellationToken);
    }

    private static async Task<DefinitionEdit> DeleteAsync(
        DefinitionTransaction edit, IReadOnlyList<WorkflowDefinition> versions, WorkflowDefinition result, CancellationToken cancellationToken)
    {
        var ids = versions.Select(v => v.Summary.Id).ToArray();
        if (await edit.HaveRequestsAsync(ids, cancellationToken))
            return new DefinitionEdit.Refused(
                "workflow_in_use",
                versions.Any(v => v.Summary.WasPublished)
                    ? $"{result.Summary.Name} cannot be deleted: requests run it, or have run it and show it. Unpublish it instead: new requests cannot use it then."
                    : $"{result.Summary.Name} cannot be deleted: it has been tried, and those runs still show it. It is a draft, so no request uses it.");
        try
        {
            await edit.DeleteAsync(ids, cancellationToken);
            await edit.CommitAsync(cancellationToken);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ForeignKeyViolation)
        {
            return new DefinitionEdit.Refused("workflow_in_use", $"{result.Summary.Name} cannot be deleted: a request has just started with it.");
        }

        return new DefinitionEdit.Done(result);
    }

    private static DefinitionEdit.Refused? Conflict(DefinitionSummary current, Guid[] revisions, EditBase from)
    {
        if (from.Revision is { } seen)
            return seen == current.Revision || revisions.Contains(seen) ? null : Outdated(current);
        return from.VersionId is { } id && id != current.Id ? Outdated(current) : null;
    }

    private static DefinitionEdit.Refused Outdated(DefinitionSummary current) => new(
        "workflow_changed",
        $"{current.Name} was changed in another window since it was opened here, and is now at version {current.Version}. "
        + "Nothing was saved. Reload the page to continue from there.");

    private static DefinitionEdit.Refused Gone { get; } = new("workflow_deleted", "This workflow has been deleted. Nothing was saved.");

    private static DefinitionEdit.Refused IsDefault(string done) => new(
        "default_workflow",
        $"This is the workflow that requests run when they name none, so it cannot be {done}. Make another one the default first (setting Engine:DefaultWorkflow).");

    /// <summary>An id as Elsa makes them: 16 hexadecimal digits.</summary>
    private static string NewId() => RandomNumberGenerator.GetHexString(16, lowercase: true);
}
