using Darkroom.Csv;
using Darkroom.Data;
using Darkroom.Engine.Definitions;
using Darkroom.Images;
using Darkroom.Runs;
using Darkroom.Storage;
using Darkroom.Uploads;
using Npgsql;

namespace Darkroom.Api.Elsa.Run;

/// <summary>
/// Tries a workflow: an ordinary request with the built-in sample that runs the workflow's latest version, even a draft. The
/// images ship with the product, so that trying needs no network.
/// </summary>
internal sealed class SampleRun(
    NpgsqlDataSource database, DefinitionStore definitions, DefinitionValidator validator, UploadStore uploads, ObjectStore objects, CsvValidator csv)
{
    public async Task<SampleRunResult> StartAsync(OwnerId owner, string definitionId, CancellationToken cancellationToken)
    {
        if (await FindLatestAsync(definitionId, cancellationToken) is not { } workflow)
            return new SampleRunResult.NotFound();
        if (validator.ValidateTrial(workflow.Text) is { Count: > 0 } errors)
            return new SampleRunResult.Refused(errors);

        if (await uploads.BeginAsync(owner, null, cancellationToken) is not UploadStart.Begun(var upload))
            throw new InvalidOperationException("An upload without a key is never refused.");
        var accepted = false;
        try
        {
            var acceptance = await uploads.AcceptAsync(
                upload, await StoreAsync(upload, workflow, cancellationToken), request => request.Id.ToString(), cancellationToken);
            accepted = acceptance is not Acceptance.Lost;
            return acceptance is Acceptance.Accepted
                ? new SampleRunResult.Started(await FindInstanceAsync(upload.Id, cancellationToken))
                : new SampleRunResult.Refused(["The run could not be started just now; try again."]);
        }
        finally
        {
            // The sweeper finds the stored objects through this row.
            if (!accepted)
                uploads.Abandon(upload);
        }
    }

    private async Task<NewRequest> StoreAsync(Upload upload, WorkflowDefinition workflow, CancellationToken cancellationToken)
    {
        var validation = await csv.ValidateAsync(new MemoryStream(SampleImages.Csv), cancellationToken);
        await using var writing = objects.BeginUpload(ObjectKeys.Input(upload.Id), "text/csv");
        await writing.WriteAsync(SampleImages.Csv, cancellationToken);
        var stored = await writing.CompleteAsync(cancellationToken);
        return new NewRequest
        {
            Id = upload.Id,
            Owner = upload.Owner,
            Workflow = workflow,
            CsvPath = stored.Key,
            CsvBytes = stored.Bytes,
            CsvSha256 = stored.Sha256,
            Dialect = validation.Dialect!.ToJson(),
            NoOfProducts = validation.Products,
            NoOfImages = validation.Images,
            FileName = SampleImages.FileName,
        };
    }

    // Read now and not cached: a draft is edited in place, so an earlier text must not be run.
    private async Task<WorkflowDefinition?> FindLatestAsync(string definitionId, CancellationToken cancellationToken) =>
        definitionId.Any(char.IsControl) ? null : await definitions.FindAsync(definitionId, VersionOptions.Latest, cancellationToken);

    private async Task<Guid> FindInstanceAsync(RequestId request, CancellationToken cancellationToken) =>
        (Guid)(await database.Sql("select id from workflow_instances where request_id = @request and run = 1")
            .With("request", request.Value)
            .ExecuteScalarAsync(cancellationToken))!;
}

/// <summary>The result of trying a workflow.</summary>
internal abstract record SampleRunResult
{
    private SampleRunResult()
    {
    }

    public sealed record Started(Guid Instance) : SampleRunResult;

    /// <summary>The workflow cannot be run as it is.</summary>
    public sealed record Refused(IReadOnlyList<string> Reasons) : SampleRunResult;

    public sealed record NotFound : SampleRunResult;
}
