using Darkroom.Api.Access;
using Darkroom.Api.Problems;
using Darkroom.Api.RateLimits;
using Darkroom.Data;
using Darkroom.Requests;
using Darkroom.Storage;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Darkroom.Api.Requests;

/// <summary>Downloads of a request's files: the uploaded CSV, byte for byte, and the output CSV.</summary>
internal static class FileEndpoints
{
    private const string ContentType = "text/csv";

    public static async Task<IResult> GetInputAsync(
        string id, HttpContext context, RequestStore requests, ObjectStore objects, IOptions<RequestsOptions> options, CancellationToken cancellationToken)
    {
        if (await requests.FindAsync(context.User.OwnerId(), id, cancellationToken).WaitAsync(options.Value.QueryTimeout, cancellationToken) is not { } request)
            return RequestProblems.NotFound;
        var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(request.CsvSha256)}\"");
        var name = request.FileName ?? $"{request.Id}.csv";
        return await SendAsync(context, objects, request.CsvPath, name, tag, options.Value, cancellationToken);
    }

    public static async Task<IResult> GetOutputAsync(
        string id, HttpContext context, RequestStore requests, ObjectStore objects, IOptions<RequestsOptions> options, CancellationToken cancellationToken)
    {
        if (await requests.FindAsync(context.User.OwnerId(), id, cancellationToken).WaitAsync(options.Value.QueryTimeout, cancellationToken) is not { } request)
            return RequestProblems.NotFound;
        if (request.OutputPath is not { } path)
            return request.Status.IsTerminal() ? RequestProblems.NoOutput(request.Status) : RequestProblems.NoOutputYet(options.Value.PollAfter);

        // Each output CSV is written under a new key, so the last part of the key serves as its ETag.
        var tag = new EntityTagHeaderValue($"\"{Path.GetFileNameWithoutExtension(path)}\"");
        return await SendAsync(context, objects, path, OutputName(request), tag, options.Value, cancellationToken);
    }

    internal static string OutputName(Request request) =>
        request.FileName is { } name ? $"{Path.GetFileNameWithoutExtension(name)}-output.csv" : $"{request.Id}-output.csv";

    private static async Task<IResult> SendAsync(
        HttpContext context, ObjectStore objects, string key, string fileName, EntityTagHeaderValue tag, RequestsOptions options, CancellationToken cancellationToken)
    {
        // From here on it takes as long as the client's connection needs.
        context.Turn()?.Dispose();
        var (request, response) = (context.Request, context.Response);
        if (request.Headers.IfMatch.Count > 0 && !Matches(request.Headers.IfMatch, tag))
            return RequestProblems.PreconditionFailed;
        if (StatusEndpoints.IsNotModified(request, tag))
        {
            response.Headers.ETag = tag.ToString();
            return Results.StatusCode(StatusCodes.Status304NotModified);
        }

        if (HttpMethods.IsHead(request.Method))
        {
            SetFileHeaders(response, fileName, await WithTimeoutAsync(token => objects.ReadLengthAsync(key, token), options.StorageTimeout, cancellationToken));
            return Results.Stream(static _ => Task.CompletedTask, ContentType, entityTag: tag);
        }

        if (FileRange.Requested(request, tag) is not { } requested)
        {
            var whole = await WithTimeoutAsync(token => objects.OpenReadAsync(key, token), options.StorageTimeout, cancellationToken);
            SetFileHeaders(response, fileName, whole.Length);
            return Results.Stream(whole, ContentType, entityTag: tag);
        }

        var length = await WithTimeoutAsync(token => objects.ReadLengthAsync(key, token), options.StorageTimeout, cancellationToken);
        if (FileRange.Resolve(requested, length) is not { } range)
        {
            response.Headers.ContentRange = $"bytes */{length}";
            return RequestProblems.RangeNotSatisfiable(length);
        }

        var part = await WithTimeoutAsync(token => objects.OpenReadAsync(key, range.First, range.Last, token), options.StorageTimeout, cancellationToken);
        response.StatusCode = StatusCodes.Status206PartialContent;
        response.Headers.ContentRange = $"bytes {range.First}-{range.Last}/{length}";
        SetFileHeaders(response, fileName, range.Length);
        return Results.Stream(part, ContentType, entityTag: tag);
    }

    private static bool Matches(StringValues tags, EntityTagHeaderValue tag) =>
        EntityTagHeaderValue.TryParseList(tags, out var expected)
        && expected.Any(candidate => candidate.Equals(EntityTagHeaderValue.Any) || candidate.Compare(tag, useStrongComparison: true));

    private static void SetFileHeaders(HttpResponse response, string fileName, long length)
    {
        response.ContentLength = length;
        response.Headers.AcceptRanges = "bytes";
        response.Headers.ContentDisposition = Attachment(fileName);
    }

    /// <summary>Limits the time until the storage starts to respond; the body may take as long as the client's connection needs.</summary>
    private static async Task<T> WithTimeoutAsync<T>(Func<CancellationToken, Task<T>> call, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        try
        {
            return await call(limit.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ApiProblemException(CommonProblems.StorageUnavailable, e);
        }
    }

    // An ASCII name for old clients and the real one encoded per RFC 5987; the framework quotes and escapes both.
    private static string Attachment(string fileName)
    {
        var disposition = new ContentDispositionHeaderValue("attachment");
        disposition.SetHttpFileName(fileName);
        return disposition.ToString();
    }
}
