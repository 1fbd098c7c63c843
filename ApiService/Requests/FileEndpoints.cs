using Darkroom.Api.Access;
using Darkroom.Api.Problems;
using Darkroom.Requests;
using Darkroom.Storage;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Darkroom.Api.Requests;

/// <summary>The files of a request: the CSV that was uploaded, byte for byte, and the one that came of it.</summary>
internal static class FileEndpoints
{
    public static async Task<IResult> GetInputAsync(
        string id, HttpContext context, RequestStore requests, ObjectStore objects, IOptions<RequestsOptions> options, CancellationToken cancellation)
    {
        if (await requests.FindAsync(context.User.OwnerId(), id, cancellation).WaitAsync(options.Value.QueryTimeout, cancellation) is not { } request) return RequestProblems.NotFound;
        var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(request.CsvSha256)}\"");
        var name = request.FileName ?? $"{request.Id}.csv";
        return await SendAsync(context, objects, request.CsvPath, name, tag, options.Value, cancellation);
    }

    public static async Task<IResult> GetOutputAsync(
        string id, HttpContext context, RequestStore requests, ObjectStore objects, IOptions<RequestsOptions> options, CancellationToken cancellation)
    {
        if (await requests.FindAsync(context.User.OwnerId(), id, cancellation).WaitAsync(options.Value.QueryTimeout, cancellation) is not { } request) return RequestProblems.NotFound;
        if (request.OutputPath is not { } path)
            return request.Status.IsTerminal() ? RequestProblems.NoOutput(request.Status) : RequestProblems.NoOutputYet(options.Value.PollAfter);

        // Every writing of an output CSV has a key of its own, so the key's last part tells one from the next.
        var tag = new EntityTagHeaderValue($"\"{Path.GetFileNameWithoutExtension(path)}\"");
        return await SendAsync(context, objects, path, OutputName(request), tag, options.Value, cancellation);
    }

    internal static string OutputName(Request request) =>
        request.FileName is { } name ? $"{Path.GetFileNameWithoutExtension(name)}-output.csv" : $"{request.Id}-output.csv";

    private static async Task<IResult> SendAsync(
        HttpContext context, ObjectStore objects, string key, string fileName, EntityTagHeaderValue tag, RequestsOptions options, CancellationToken cancellation)
    {
        context.Response.Headers.CacheControl = "private, no-cache";
        context.Response.Headers.Vary = HeaderNames.Authorization;
        if (EntityTagHeaderValue.TryParseList(context.Request.Headers.IfNoneMatch, out var known) && known.Any(candidate => candidate.Compare(tag, false)))
        {
            context.Response.Headers.ETag = tag.ToString();
            return Results.StatusCode(StatusCodes.Status304NotModified);
        }

        var body = await OpenAsync(objects, key, options.StorageTimeout, cancellation);
        context.Response.ContentLength = body.Length;
        context.Response.Headers.ContentDisposition = Attachment(fileName);
        return Results.Stream(body, "text/csv", entityTag: tag);
    }

    /// <summary>Waits only until the storage begins to answer; the body takes as long as the client's line does.</summary>
    private static async Task<Stream> OpenAsync(ObjectStore objects, string key, TimeSpan patience, CancellationToken cancellation)
    {
        using var opening = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        opening.CancelAfter(patience);
        try
        {
            return await objects.OpenReadAsync(key, opening.Token);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new ApiProblemException(CommonProblems.StorageUnavailable, e);
        }
    }

    // An ASCII name for old clients and the true one after RFC 5987; both quoted or escaped by the framework.
    private static string Attachment(string fileName)
    {
        var disposition = new ContentDispositionHeaderValue("attachment");
        disposition.SetHttpFileName(fileName);
        return disposition.ToString();
    }
}
