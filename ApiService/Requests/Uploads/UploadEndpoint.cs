using Darkroom.Api.Access;
using Darkroom.Api.Problems;
using Darkroom.Csv;
using Darkroom.Data;
using Darkroom.Requests;
using Darkroom.Uploads;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Darkroom.Api.Requests.Uploads;

/// <summary><c>POST /v1/requests</c>: who may upload what under which key; the receiving itself is <see cref="UploadReceiver"/>'s.</summary>
internal sealed class UploadEndpoint(
    UploadStore uploads, UploadGate gate, UploadReceiver receiver, ApiLinks links,
    IOptions<CsvLimits> limits, IOptions<UploadOptions> options, IOptions<RequestsOptions> requests)
{
    // What a form adds to its file: boundaries, part headers, the other fields.
    private const long FormOverhead = 64 * 1024;

    public async Task<IResult> PostAsync(HttpContext context)
    {
        RefuseOversized(context);
        var form = UploadForm.Open(context.Request, options.Value.MaxFieldBytes);
        var key = IdempotencyKeyHeader.Read(context.Request.Headers);
        var owner = context.User.OwnerId();
        using var opening = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        opening.CancelAfter(requests.Value.QueryTimeout);
        var cancellationToken = opening.Token;

        if (key is not null && await uploads.FindResponseAsync(owner, key, cancellationToken).WaitAsync(cancellationToken) is { } given)
            return await RepeatAsync(form, given, context);
        if (await BeginAsync(owner, key, cancellationToken) is not { } upload)
            return UploadProblems.KeyInFlight;

        // The upload that held the key a moment ago may have been accepted between our look and our row.
        if (key is not null && await FindAnswerOrDiscardAsync(upload, key, cancellationToken) is { } givenMeanwhile)
            return await RepeatAsync(form, givenMeanwhile, context);
        if (!gate.TryEnter())
        {
            await uploads.DiscardAsync(upload, CancellationToken.None);
            return UploadProblems.TooMany;
        }

        try
        {
            opening.CancelAfter(Timeout.InfiniteTimeSpan);
            return await receiver.ReceiveAsync(upload, form, context.RequestAborted) switch
            {
                UploadResult.Accepted accepted => Accepted(context, upload.Id, accepted.Response),
                UploadResult.Refused refused => refused.Problem,
                var other => throw new InvalidOperationException($"Unknown reception {other}."),
            };
        }
        finally
        {
            gate.Leave();
        }
    }

    // The server's own limit is for JSON; a file is counted as it arrives, without the form around it.
    private void RefuseOversized(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } feature) feature.MaxRequestBodySize = null;
        if (context.Request.ContentLength > limits.Value.MaxFileBytes + FormOverhead)
            throw new ApiProblemException(UploadProblems.TooLarge(limits.Value.MaxFileBytes));
    }

    private async Task<Upload?> BeginAsync(OwnerId owner, string? key, CancellationToken cancellationToken)
    {
        var beginning = uploads.BeginAsync(owner, key, cancellationToken);
        try
        {
            return await beginning.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // It may yet succeed, with nobody here to receive it: then it is the sweeper's.
            _ = AbandonLaterAsync(beginning);
            throw;
        }
    }

    private async Task AbandonLaterAsync(Task<Upload?> beginning)
    {
        await ((Task)beginning).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (beginning.IsCompletedSuccessfully && await beginning is { } upload) uploads.Abandon(upload);
    }

    private async Task<IdempotentResponse?> FindAnswerOrDiscardAsync(Upload upload, string key, CancellationToken cancellationToken)
    {
        try
        {
            if (await uploads.FindResponseAsync(upload.Owner, key, cancellationToken).WaitAsync(cancellationToken) is not { } given) return null;
            await uploads.DiscardAsync(upload, CancellationToken.None);
            return given;
        }
        catch
        {
            uploads.Abandon(upload);
            throw;
        }
    }

    /// <summary>The answer of the first time to the letter, if this is the same upload: which takes reading it all to know.</summary>
    private async Task<IResult> RepeatAsync(UploadForm form, IdempotentResponse given, HttpContext context)
    {
        var sha256 = await receiver.HashAsync(form, context.RequestAborted);
        return form.Fields.Digest(sha256).AsSpan().SequenceEqual(given.Digest)
            ? Accepted(context, given.Request, given.Response)
            : UploadProblems.KeyReused;
    }

    private IResult Accepted(HttpContext context, RequestId id, string response)
    {
        context.Response.Headers.Location = links.Self(id);
        context.Response.Headers.RetryAfter = StatusEndpoints.Seconds(requests.Value.PollAfter);
        context.Response.Headers.CacheControl = "no-store";
        return Results.Text(response, "application/json; charset=utf-8", statusCode: StatusCodes.Status202Accepted);
    }
}
