using System.Text.Json;
using Darkroom.Api.Problems;
using Darkroom.Csv;
using Darkroom.Data;
using Darkroom.Egress;
using Darkroom.Engine;
using Darkroom.Engine.Definitions;
using Darkroom.Requests;
using Darkroom.Runs;
using Darkroom.Storage;
using Darkroom.Telemetry;
using Darkroom.Uploads;
using Microsoft.Extensions.Options;

namespace Darkroom.Api.Requests.Uploads;

/// <summary>Receives one file: stores it while validating it, then either creates a request or cleans up.</summary>
internal sealed partial class UploadReceiver(
    UploadStore uploads, DefinitionStore workflows, ObjectStore objects, CsvValidator validator, ApiLinks links, TimeProvider time,
    DarkroomMetrics metrics, EgressGuard guard, IHostEnvironment environment, IOptions<CsvLimits> limits, IOptions<UploadOptions> options,
    IOptions<RequestsOptions> requests, IOptions<EngineOptions> engine, ILogger<UploadReceiver> logger)
{
    private const string CsvType = "text/csv";

    /// <summary>For cleanup and for the accepting transaction, which must complete even if the client disconnects.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private readonly WebhookUrlRule _webhookUrls = new(guard, options.Value.AllowHttpWebhooks, environment.IsDevelopment());

    public async Task<UploadResult> ReceiveAsync(Upload upload, UploadForm form, CancellationToken cancellationToken)
    {
        using var scope = logger.BeginRequest(upload.Id);
        // If the lease is lost, another process may already be cleaning up this upload.
        using var lifetime = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, upload.Held);
        var objectUpload = objects.BeginUpload(ObjectKeys.Input(upload.Id), CsvType);
        var settled = false;
        try
        {
            var outcome = await StoreAndAcceptAsync(upload, form, objectUpload, lifetime.Token);
            settled = outcome is Acceptance.Accepted or Acceptance.Unknown;
            return outcome switch
            {
                Acceptance.Accepted accepted => new UploadResult.Accepted(accepted.Response),
                Acceptance.Lost => new UploadResult.Refused(UploadProblems.Lost),
                Acceptance.Unknown => new UploadResult.Refused(UploadProblems.Unknown(links.Self(upload.Id))),
                var other => throw new InvalidOperationException($"Unknown acceptance {other}."),
            };
        }
        catch (ApiProblemException refused)
        {
            return new UploadResult.Refused(refused.Problem);
        }
        catch (OperationCanceledException) when (upload.Held.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return new UploadResult.Refused(UploadProblems.Lost);
        }
        finally
        {
            await objectUpload.DisposeAsync();
            if (!settled)
                await CleanUpAsync(upload, objectUpload.HasSent);
        }
    }

    /// <summary>Reads an upload only to hash its file.</summary>
    public async Task<byte[]> HashAsync(UploadForm form, CancellationToken cancellationToken)
    {
        byte[]? sha256 = null;
        await form.ReadAsync(
            async (body, token) =>
            {
                await using var tee = new UploadTee(body, sink: null, limits.Value.MaxFileBytes);
                await tee.DrainAsync(token);
                ThrowIfFaulted(tee);
                sha256 = tee.Sha256;
            },
            cancellationToken);
        return sha256 ?? throw new InvalidOperationException("A form was read to its end without its file.");
    }

    private async Task<Acceptance> StoreAndAcceptAsync(Upload upload, UploadForm form, ObjectUpload objectUpload, CancellationToken cancellationToken)
    {
        // What is wrong with fields before the file is said before it is sent.
        if (!form.Fields.AreDefault)
            await ValidateFieldsAsync(form.Fields, cancellationToken);
        await CheckStorageAsync(cancellationToken);
        CsvValidationResult? validation = null;
        await form.ReadAsync(async (body, token) => validation = await ValidateAsync(body, objectUpload, token), cancellationToken);
        if (validation is null)
            throw new InvalidOperationException("A form was read to its end without its file.");

        // Fields may follow the file.
        var workflow = await ValidateFieldsAsync(form.Fields, cancellationToken);
        var stored = await objectUpload.CompleteAsync(cancellationToken);
        var request = new NewRequest
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
            FileName = form.Fields.FileName,
            WebhookUrl = form.Fields.WebhookUrl,
            IdempotencyKey = upload.IdempotencyKey is { } key ? new IdempotencyKey(key, form.Fields.Digest(stored.Sha256)) : null,
        };
        return await AcceptAsync(upload, request);
    }

    /// <summary>Validates the file while storing it; throws if it is invalid.</summary>
    private async Task<CsvValidationResult> ValidateAsync(Stream body, ObjectUpload objectUpload, CancellationToken cancellationToken)
    {
        await using var tee = new UploadTee(body, objectUpload, limits.Value.MaxFileBytes);
        var validation = await validator.ValidateAsync(tee, cancellationToken);
        if (validation.IsValid)
            await tee.DrainAsync(cancellationToken);
        // Check this first: only the start of the file may have been validated.
        ThrowIfFaulted(tee);
        if (tee.Bytes == 0)
            throw new ApiProblemException(UploadProblems.EmptyFile);
        if (!validation.IsValid)
            throw new ApiProblemException(ProblemOf(validation));
        return validation;
    }

    private void ThrowIfFaulted(UploadTee file)
    {
        if (file.Fault is not { } fault)
            return;
        throw new ApiProblemException(fault switch
        {
            UploadFault.TooLarge => UploadProblems.TooLarge(limits.Value.MaxFileBytes),
            UploadFault.Truncated => UploadProblems.BrokenForm("The body ends before the file does."),
            _ => throw new InvalidOperationException($"Unknown fault {fault}."),
        });
    }

    private ApiProblem ProblemOf(CsvValidationResult validation) => validation.Errors[0].Code switch
    {
        CsvErrorCodes.FileTooLarge => UploadProblems.TooLarge(limits.Value.MaxFileBytes),
        CsvErrorCodes.EmptyFile => UploadProblems.EmptyFile,
        _ => UploadProblems.InvalidCsv(validation),
    };

    private async Task<WorkflowDefinition> ValidateFieldsAsync(UploadFields fields, CancellationToken cancellationToken)
    {
        if (fields.WebhookUrl is { } url && _webhookUrls.Validate(url) is { } error)
            throw new ApiProblemException(UploadProblems.BadWebhookUrl(error));
        var id = fields.Workflow ?? engine.Value.DefaultWorkflow;
        // Postgres rejects U+0000 in text, and no workflow id contains control characters.
        var workflow = id.Any(char.IsControl) ? null : await workflows.FindAsync(id, VersionOptions.Published, cancellationToken);
        return workflow ?? throw new ApiProblemException(UploadProblems.UnknownWorkflow(id));
    }

    /// <summary>Checks that the object store is available before the client sends half a gigabyte.</summary>
    private async Task CheckStorageAsync(CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(requests.Value.StorageTimeout);
        try
        {
            await objects.CheckAsync(timeout.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ApiProblemException(CommonProblems.StorageUnavailable, e);
        }
    }

    private async Task<Acceptance> AcceptAsync(Upload upload, NewRequest request)
    {
        using var timeout = new CancellationTokenSource(Timeout, time);
        var acceptance = await uploads.AcceptAsync(
            upload,
            request,
            accepted => JsonSerializer.Serialize(RequestView.From(accepted, links), RequestJson.Default.RequestView),
            timeout.Token);
        if (acceptance is Acceptance.Accepted)
        {
            metrics.RequestAccepted();
            LogAccepted(request.Id, request.NoOfProducts, request.NoOfImages, request.CsvBytes);
        }

        return acceptance;
    }

    /// <summary>Deletes the objects first, then the row that leads to them. If either fails, the sweeper does both.</summary>
    private async Task CleanUpAsync(Upload upload, bool hasObjects)
    {
        using var timeout = new CancellationTokenSource(Timeout, time);
        try
        {
            await uploads.DiscardAsync(
                upload,
                token => hasObjects ? objects.DeletePrefixAsync(ObjectKeys.Request(upload.Id), token) : Task.CompletedTask,
                timeout.Token);
        }
        catch (Exception e)
        {
            uploads.Abandon(upload);
            LogLeftToSweeper(e, upload.Id);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Accepted request {Request}: {Products} products, {Images} images, {Bytes} bytes")]
    private partial void LogAccepted(RequestId request, int products, int images, long bytes);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Upload {Upload} could not be cleaned up; leaving it to the sweeper")]
    private partial void LogLeftToSweeper(Exception exception, RequestId upload);
}
