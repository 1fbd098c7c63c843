using System.Security.Cryptography;
using Darkroom.Data;
using Darkroom.Engine;
using Darkroom.Engine.Definitions;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace Darkroom.Runs;

/// <summary>
/// Changes definitions by Elsa's rules: a draft is edited in place, a version that was ever published is not: editing it makes the next
/// version. Each change is one transaction under the lock of the definition's rows.
/// </summary>
public sealed class DefinitionEditor(NpgsqlDataSource database, DefinitionValidator validator, IOptions<EngineOptions> options)
{
    // Enough for a burst of saves that cross their answers; an editor that is further behind has lost track.
    private const int RememberedRevisions = 32;

    /// <summary>Creates the definition, or saves it as a draft; publishes it too if wanted and if it can be run.</summary>
    /// <param name="definitionId">Null for a new definition with an id of its own.</param>
    public async Task<DefinitionEdit> SaveAsync(
        string? definitionId, DefinitionContent content, EditBase from, bool publish, CancellationToken cancellationToken)
    {
        var errors = publish ? validator.Validate(content.Document) : [];
        await using var edit = await DefinitionTransaction.BeginAsync(database, definitionId ?? NewId(), cancellationToken);
        if (edit.Latest is not { } latest)
        {
            // An editor that names a version has opened a definition that is gone; it must not come back by an autosave.
            if (definitionId is not null && from.VersionId is not null) return Gone;
            await edit.InsertAsync(NewId(), content, from.Editor, cancellationToken);
        }
        else
        {
            if (Conflict(latest, from) is { } conflict) return conflict;
            if (!DefinitionSerializer.SameContent(latest.Version.Document, content.Document)) await StoreAsync(edit, latest, content, from, cancellationToken);
        }

        if (!publish || errors.Count > 0)
        {
            await edit.CommitAsync(cancellationToken);
            var saved = edit.Latest!.Version;
            return errors.Count == 0 ? new DefinitionEdit.Done(saved) : new DefinitionEdit.Invalid(saved, errors);
        }

        var wasPublished = await edit.PublishLatestAsync(cancellationToken);
        await edit.CommitAsync(cancellationToken);
        return new DefinitionEdit.Done(edit.Latest!.Version, wasPublished);
    }

    /// <summary>Adds the content as the definition's next version, a draft. What was there before stays in its history.</summary>
    public async Task<DefinitionEdit> ImportAsync(string? definitionId, DefinitionContent content, string editor, CancellationToken cancellationToken)
    {
        await using var edit = await DefinitionTransaction.BeginAsync(database, definitionId ?? NewId(), cancellationToken);
        if (edit.Latest is { } latest && DefinitionSerializer.SameContent(latest.Version.Document, content.Document))
            return new DefinitionEdit.Done(latest.Version, WasAlready: true);
        await edit.InsertAsync(NewId(), content, editor, cancellationToken);
        await edit.CommitAsync(cancellationToken);
        return new DefinitionEdit.Done(edit.Latest!.Version);
    }

    /// <summary>Publishes the latest version, if it can be run.</summary>
    public async Task<DefinitionEdit> PublishAsync(string definitionId, CancellationToken cancellationToken)
    {
        await using var edit = await DefinitionTransaction.BeginAsync(database, definitionId, cancellationToken);
        if (edit.Latest is not { } latest) return new DefinitionEdit.Missing();
        if (latest.Version.Summary.IsPublished) return new DefinitionEdit.Done(latest.Version, WasAlready: true);
        if (validator.Validate(latest.Version.Document) is { Count: > 0 } errors) return new DefinitionEdit.Invalid(latest.Version, errors);
        await edit.PublishLatestAsync(cancellationToken);
        await edit.CommitAsync(cancellationToken);
        return new DefinitionEdit.Done(edit.Latest!.Version);
    }

    /// <summary>Takes the published version out of service for new requests; those that run keep it.</summary>
    public async Task<DefinitionEdit> RetractAsync(string definitionId, CancellationToken cancellationToken)
    {
        await using var edit = await DefinitionTransaction.BeginAsync(database, definitionId, cancellationToken);
        if (edit.Latest is not { } latest) return new DefinitionEdit.Missing();
        if (edit.Versions.FirstOrDefault(v => v.Version.Summary.IsPublished) is not { } published)
            return new DefinitionEdit.Done(latest.Version, WasAlready: true);
        if (definitionId == options.Value.DefaultWorkflow) return IsDefault("retracted");
        await edit.RetractAsync(cancellationToken);
        await edit.CommitAsync(cancellationToken);
        return new DefinitionEdit.Done(edit.Versions.Single(v => v.Version.Summary.Id == published.Version.Summary.Id).Version);
    }

    /// <summary>Makes a draft of an older version's content.</summary>
    public async Task<DefinitionEdit> RevertAsync(string definitionId, int version, string editor, CancellationToken cancellationToken)
    {
        await using var edit = await DefinitionTransaction.BeginAsync(database, definitionId, cancellationToken);
        if (edit.Versions.FirstOrDefault(v => v.Version.Summary.Version == version) is not { } old) return new DefinitionEdit.Missing();
        var content = new DefinitionContent(old.Version.Summary.Name, old.Version.Summary.Description, old.Version.Document);
        await edit.InsertAsync(NewId(), content, editor, cancellationToken);
        await edit.CommitAsync(cancellationToken);
        return new DefinitionEdit.Done(edit.Latest!.Version);
    }

    /// <summary>Deletes a definition with all its versions.</summary>
    public async Task<DefinitionEdit> DeleteAsync(string definitionId, CancellationToken cancellationToken)
    {
        await using var edit = await DefinitionTransaction.BeginAsync(database, definitionId, cancellationToken);
        if (edit.Latest is not { } latest) return new DefinitionEdit.Missing();
        if (definitionId == options.Value.DefaultWorkflow) return IsDefault("deleted");
        return await DeleteAsync(edit, edit.Versions, latest.Version, cancellationToken);
    }

    /// <summary>Deletes one version; if it was the latest, the one before it is the latest again.</summary>
    public async Task<DefinitionEdit> DeleteVersionAsync(string id, CancellationToken cancellationToken)
    {
        var definitionId = (string?)await database.Sql("select definition_id from workflow_definitions where id = @id").With("id", id)
            .ExecuteScalarAsync(cancellationToken);
        if (definitionId is null) return new DefinitionEdit.Missing();
        await using var edit = await DefinitionTransaction.BeginAsync(database, definitionId, cancellationToken);
        if (edit.Versions.FirstOrDefault(v => v.Version.Summary.Id == id) is not { } found) return new DefinitionEdit.Missing();
        if (definitionId == options.Value.DefaultWorkflow && (found.Version.Summary.IsPublished || edit.Versions.Count == 1)) return IsDefault("deleted");
        return await DeleteAsync(edit, [found], found.Version, cancellationToken);
    }

    private static async Task<DefinitionEdit> DeleteAsync(
        DefinitionTransaction edit, IReadOnlyList<StoredVersion> versions, DefinitionVersion answer, CancellationToken cancellationToken)
    {
        var ids = versions.Select(v => v.Version.Summary.Id).ToArray();
        if (await edit.HaveRequestsAsync(ids, cancellationToken))
            return new DefinitionEdit.Refused(
                "workflow_in_use",
                versions.Any(v => v.WasPublished)
                    ? $"{answer.Summary.Name} cannot be deleted: requests run it, or have run it and show it. Unpublish it instead: new requests cannot use it then."
                    : $"{answer.Summary.Name} cannot be deleted: it has been tried, and what was tried shows it. It is a draft, so no request uses it.");
        try
        {
            await edit.DeleteAsync(ids, cancellationToken);
            await edit.CommitAsync(cancellationToken);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ForeignKeyViolation)
        {
            return new DefinitionEdit.Refused("workflow_in_use", $"{answer.Summary.Name} cannot be deleted: a request has just started with it.");
        }

        return new DefinitionEdit.Done(answer);
    }

    private static async Task StoreAsync(
        DefinitionTransaction edit, StoredVersion latest, DefinitionContent content, EditBase from, CancellationToken cancellationToken)
    {
        // An editor's own chain of saves: what it started from, and every revision it made since.
        var chain = latest.Editor == from.Editor ? latest.EditorRevisions : [];
        chain = [.. chain.Append(latest.Version.Summary.Revision).Distinct().TakeLast(RememberedRevisions)];
        if (latest.WasPublished) await edit.InsertAsync(NewId(), content, from.Editor, cancellationToken, chain);
        else await edit.UpdateLatestAsync(content, from.Editor, chain, cancellationToken);
    }

    private static DefinitionEdit.Refused? Conflict(StoredVersion latest, EditBase from)
    {
        var current = latest.Version.Summary;
        if (from.Revision is { } seen)
            return seen == current.Revision || (latest.Editor == from.Editor && latest.EditorRevisions.Contains(seen)) ? null : Outdated(current);
        return from.VersionId is { } id && id != current.Id ? Outdated(current) : null;
    }

    private static DefinitionEdit.Refused Outdated(DefinitionSummary current) => new(
        "workflow_changed",
        $"{current.Name} was changed in another window since it was opened here, and is now at version {current.Version}. "
        + "Nothing was saved. Reload the page to go on from there.");

    private static DefinitionEdit.Refused Gone { get; } = new("workflow_deleted", "This workflow has been deleted meanwhile. Nothing was saved.");

    private static DefinitionEdit.Refused IsDefault(string done) => new(
        "default_workflow",
        $"This is the workflow that requests run when they name none, so it cannot be {done}. Make another one the default first (setting Engine:DefaultWorkflow).");

    /// <summary>An id as Elsa makes them: 16 hexadecimal digits.</summary>
    private static string NewId() => RandomNumberGenerator.GetHexString(16, lowercase: true);
}
