using System.Text.Json;
using Darkroom.Api.Problems;
using Darkroom.Csv;
using Darkroom.Data;
using Darkroom.Engine;
using Darkroom.Engine.Definitions;
using Darkroom.Requests;
using Darkroom.Runs;
using Darkroom.Storage;
using Darkroom.Telemetry;
using Darkroom.Uploads;
using Microsoft.Extensions.Options;

namespace Darkroom.Api.Requests.Uploads;

/// <summary>Receives one file: stores it while it is validated, and makes a request of it or leaves nothing behind.</summary>
internal sealed partial class UploadReceiver(
    UploadStore uploads, DefinitionStore workflows, ObjectStore objects, CsvValidator validator, ApiLinks links, TimeProvider time,
    DarkroomMetrics metrics, IHostEnvironment environment, IOptions<CsvLimits> limits, IOptions<UploadOptions> options,
    IOptions<RequestsOptions> requests, IOptions<EngineOptions> engine, ILogger<UploadReceiver> logger)
{
    private const string CsvType = "text/csv";

    /// <summary>For clearing up and for the accepting transaction, which the client's going away must not cut short.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private readonly WebhookUrlRule _webhookUrls = new(options.Value.AllowHttpWebhooks, environment.IsDevelopment());

    public async Task<UploadResult> ReceiveAsync(Upload upload, UploadForm form, CancellationToken cancellationToken)
    {
        using var scope = logger.BeginRequest(upload.Id);
        // Without the lease another process may already be clearing this upload up.
        using var lifetime = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, upload.Held);
        var writing = objects.BeginUpload(ObjectKeys.Input(upload.Id), CsvType);
        var settled = false;
        try
        {
            var outcome = await StoreAndAcceptAsync(upload, form, writing, lifetime.Token);
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
            await writing.DisposeAsync();
            if (!settled) await ClearUpAsync(upload, writing.HasSent);
        }
    }

    /// <summary>Reads an upload for its file's hash alone.</summary>
    public async Task<byte[]> HashAsync(UploadForm form, CancellationToken cancellationToken)
    {
        byte[]? sha256 = null;
        await form.ReadAsync(
            async (body, token) =>
            {
                await using var tee = new UploadTee(body, sink: null, limits.Value.MaxFileBytes);
                await tee.DrainAsync(token);
                RefuseFault(tee);
                sha256 = tee.Sha256;
            },
            cancellationToken);
        return sha256 ?? throw new InvalidOperationException("A form was read to its end without its file.");
    }

    private async Task<Acceptance> StoreAndAcceptAsync(Upload upload, UploadForm form, ObjectUpload writing, CancellationToken cancellationToken)
    {
        await RefuseFieldsAsync(form.Fields, cancellationToken);
        await RefuseWithoutStorageAsync(cancellationToken);
        CsvValidationResult? validation = null;
        await form.ReadAsync(async (body, token) => validation = await ValidateAsync(body, writing, token), cancellationToken);
        if (validation is null) throw new InvalidOperationException("A form was read to its end without its file.");

        // Fields may stand behind the file.
        var workflow = await RefuseFieldsAsync(form.Fields, cancellationToken);
        var stored = await writing.CompleteAsync(cancellationToken);
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

    /// <summary>Validates the file while it is stored; returns only if it is good.</summary>
    private async Task<CsvValidationResult> ValidateAsync(Stream body, ObjectUpload writing, CancellationToken cancellationToken)
    {
        await using var tee = new UploadTee(body, writing, limits.Value.MaxFileBytes);
        var validation = await validator.ValidateAsync(tee, cancellationToken);
        if (validation.IsValid) await tee.DrainAsync(cancellationToken);
        // First, for what was validated may be the beginning only.
        RefuseFault(tee);
        if (tee.Bytes == 0) throw new ApiProblemException(UploadProblems.EmptyFile);
        if (!validation.IsValid) throw new ApiProblemException(ProblemOf(validation));
        return validation;
    }

    private void RefuseFault(UploadTee file)
    {
        if (file.Fault is not { } fault) return;
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

    private async Task<WorkflowDefinition> RefuseFieldsAsync(UploadFields fields, CancellationToken cancellationToken)
    {
        if (fields.WebhookUrl is { } url && _webhookUrls.Validate(url) is { } error)
            throw new ApiProblemException(UploadProblems.BadWebhookUrl(error));
        var id = fields.Workflow ?? engine.Value.DefaultWorkflow;
        // The database takes no U+0000 in text, and no workflow is named by a control character.
        var workflow = id.Any(char.IsControl) ? null : await workflows.FindAsync(id, VersionOptions.Published, cancellationToken);
        return workflow ?? throw new ApiProblemException(UploadProblems.UnknownWorkflow(id));
    }

    /// <summary>Before the client sends half a gigabyte: is there anywhere to put it?</summary>
    private async Task RefuseWithoutStorageAsync(CancellationToken cancellationToken)
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

    /// <summary>Objects first, then the row by which they are found; if either does not work, the sweeper does both.</summary>
    private async Task ClearUpAsync(Upload upload, bool hasObjects)
    {
        using var timeout = new CancellationTokenSource(Timeout, time);
        try
        {
            if (hasObjects) await objects.DeletePrefixAsync(ObjectKeys.Request(upload.Id), timeout.Token);
            await uploads.DiscardAsync(upload, timeout.Token);
        }
        catch (Exception e)
        {
            uploads.Abandon(upload);
            LogLeftToSweeper(e, upload.Id);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Accepted request {Request}: {Products} products, {Images} images, {Bytes} bytes")]
    private partial void LogAccepted(RequestId request, int products, int images, long bytes);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What upload {Upload} left behind could not be cleared up now; the sweeper will")]
    private partial void LogLeftToSweeper(Exception exception, RequestId upload);
}
