using System.Globalization;
using System.Security.Claims;
using Darkroom.Api.Access;
using Darkroom.Data;
using Darkroom.Requests;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Darkroom.Api.Requests;

/// <summary>Gets a single request, or lists the requests of an owner.</summary>
/// <remarks>
/// Here and in the other endpoints, WaitAsync returns as soon as the time is up. Cancelling the query itself takes longer: the driver
/// first tries to tell a server that may not respond.
/// </remarks>
internal static class StatusEndpoints
{
    public static async Task<IResult> GetAsync(
        string id, HttpContext context, RequestStore requests, ApiLinks links, IOptions<RequestsOptions> options, CancellationToken cancellationToken)
    {
        if (await requests.FindAsync(context.User.OwnerId(), id, cancellationToken).WaitAsync(cancellationToken) is not { } request)
            return RequestProblems.NotFound;

        var tag = ETagOf(request);
        var headers = context.Response.Headers;
        headers.ETag = tag.ToString();
        if (!request.Status.IsTerminal())
            headers.RetryAfter = Seconds(options.Value.PollAfter);
        return IsNotModified(context.Request, tag)
            ? Results.StatusCode(StatusCodes.Status304NotModified)
            : RequestResult(RequestView.From(request, links));
    }

    public static async Task<IResult> ListAsync(
        string? cursor, string? limit, ClaimsPrincipal user, HttpContext context, RequestStore requests, ApiLinks links, IOptions<RequestsOptions> options,
        CancellationToken cancellationToken)
    {
        RequestPlace? after = null;
        if (cursor is not null)
        {
            if (!PageCursor.TryParse(cursor, out RequestPlace place))
                return RequestProblems.BadCursor;
            after = place;
        }

        if (Paging.ParseLimit(limit, options.Value) is not { } size)
            return RequestProblems.BadLimit(options.Value.MaxPageSize);
        var page = Paging.TakePage(await requests.ListAsync(user.OwnerId(), after, size + 1, cancellationToken).WaitAsync(cancellationToken), size, out var last);
        var next = last is null ? null : PageCursor.After(new RequestPlace(last.CreatedAt, last.Id));
        Paging.AddNextLink(context, links.Requests, ("limit", limit), next);
        var view = new RequestPageView([.. page.Select(request => RequestView.From(request, links))], next);
        return TypedResults.Json(view, RequestJson.Default.RequestPageView);
    }

    public static JsonHttpResult<RequestView> RequestResult(RequestView view) => TypedResults.Json(view, RequestJson.Default.RequestView);

    public static string Seconds(TimeSpan time) => Math.Max(1, (long)Math.Ceiling(time.TotalSeconds)).ToString(CultureInfo.InvariantCulture);

    // Weak: the revision identifies the state of the request, not the bytes of one representation.
    public static EntityTagHeaderValue ETagOf(Request request) =>
        new($"\"{request.Revision.ToString(CultureInfo.InvariantCulture)}\"", isWeak: true);

    public static bool IsNotModified(HttpRequest request, EntityTagHeaderValue tag) =>
        EntityTagHeaderValue.TryParseList(request.Headers.IfNoneMatch, out var known)
        && known.Any(candidate => candidate.Equals(EntityTagHeaderValue.Any) || candidate.Compare(tag, useStrongComparison: false));
}
