using Darkroom.Api.Access;
using Darkroom.Api.Problems;
using Darkroom.Api.RateLimits;
using Darkroom.Csv;
using Darkroom.Data;
using Darkroom.Requests;
using Darkroom.Uploads;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Darkroom.Api.Requests.Uploads;

/// <summary><c>POST /v1/requests</c>: checks limits and the idempotency key; <see cref="UploadReceiver"/> receives the file.</summary>
internal sealed class UploadEndpoint(
    UploadStore uploads, UploadGate gate, UploadReceiver receiver, ApiLinks links, TimeProvider time,
    IOptions<CsvLimits> limits, IOptions<UploadOptions> options, IOptions<RequestsOptions> requests)
{
    // What a multipart form adds to its file: boundaries, part headers and the other fields.
    private const long FormOverhead = 64 * 1024;

    public async Task<IResult> PostAsync(HttpContext context)
    {
        RefuseOversized(context);
        var form = UploadForm.Open(context.Request, options.Value.MaxFieldBytes);
        var key = IdempotencyKeyHeader.Read(context.Request.Headers);
        var owner = context.User.OwnerId();
        using var opening = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        opening.CancelAfter(requests.Value.QueryTimeout);

        if (!gate.TryEnter(owner))
            return UploadProblems.TooMany;
        using var limit = new CancellationTokenSource(options.Value.MaxDuration, time);
        using var receiving = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, limit.Token);
        try
        {
            var start = await BeginAsync(owner, key, opening.Token);
            opening.CancelAfter(Timeout.InfiniteTimeSpan);
            // A small file is there at once, and is accepted in this turn. From then on it takes as long as the client's connection needs.
            var turn = context.Turn();
            await using var end = time.CreateTimer(_ => turn?.Dispose(), null, options.Value.Turn, Timeout.InfiniteTimeSpan);
            return start switch
            {
                UploadStart.Begun(var upload) => await ReceiveAsync(upload, form, context, receiving.Token),
                UploadStart.Repeated previous => await RepeatAsync(form, previous, context, receiving.Token),
                UploadStart.InFlight => UploadProblems.KeyInFlight,
                var other => throw new InvalidOperationException($"Unknown start of an upload {other}."),
            };
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return UploadProblems.TookTooLong(options.Value.MaxDuration);
        }
        finally
        {
            gate.Leave(owner);
        }
    }

    private async Task<IResult> ReceiveAsync(Upload upload, UploadForm form, HttpContext context, CancellationToken cancellationToken) =>
        await receiver.ReceiveAsync(upload, form, cancellationToken) switch
        {
            UploadResult.Accepted accepted => Accepted(context, upload.Id, accepted.Response),
            UploadResult.Refused refused => refused.Problem,
            var other => throw new InvalidOperationException($"Unknown upload result {other}."),
        };

    // The server's limit is meant for JSON bodies; the file's size is checked as it arrives, not counting the rest of the form.
    private void RefuseOversized(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } feature)
            feature.MaxRequestBodySize = null;
        if (context.Request.ContentLength > limits.Value.MaxFileBytes + FormOverhead)
            throw new ApiProblemException(UploadProblems.TooLarge(limits.Value.MaxFileBytes));
    }

    private async Task<UploadStart> BeginAsync(OwnerId owner, string? key, CancellationToken cancellationToken)
    {
        var begin = uploads.BeginAsync(owner, key, cancellationToken);
        try
        {
            return await begin.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The insert may still succeed with nobody left to receive the upload: leave it to the sweeper.
            _ = AbandonLaterAsync(begin);
            throw;
        }
    }

    private async Task AbandonLaterAsync(Task<UploadStart> begin)
    {
        await ((Task)begin).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (begin.IsCompletedSuccessfully && await begin is UploadStart.Begun(var upload))
            uploads.Abandon(upload);
    }

    /// <summary>Repeats the original response if this is the same upload. Finding out requires reading the whole file.</summary>
    private async Task<IResult> RepeatAsync(UploadForm form, UploadStart.Repeated previous, HttpContext context, CancellationToken cancellationToken)
    {
        var sha256 = await receiver.HashAsync(form, cancellationToken);
        return form.Fields.Digest(sha256).AsSpan().SequenceEqual(previous.Digest)
            ? Accepted(context, previous.Request, previous.Response)
            : UploadProblems.KeyReused;
    }

    private IResult Accepted(HttpContext context, RequestId id, string response)
    {
        context.Response.Headers.Location = links.Self(id);
        context.Response.Headers.RetryAfter = StatusEndpoints.Seconds(requests.Value.PollAfter);
        return Results.Text(response, "application/json; charset=utf-8", statusCode: StatusCodes.Status202Accepted);
    }
}
