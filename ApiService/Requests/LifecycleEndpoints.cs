using Darkroom.Api.Access;
using Darkroom.Data;
using Darkroom.Requests;
using Darkroom.Runs;
using Microsoft.Extensions.Options;

namespace Darkroom.Api.Requests;

/// <summary>Cancelling and retrying a request.</summary>
internal static class LifecycleEndpoints
{
    public static Task<IResult> CancelAsync(
        string id, HttpContext context, LifecycleChanges changes, RequestStore requests, ApiLinks links, IOptions<RequestsOptions> options,
        CancellationToken cancellationToken) =>
        ChangeAsync(changes.CancelAsync, RequestProblems.CannotCancel, id, context, requests, links, options.Value, cancellationToken);

    public static Task<IResult> RetryAsync(
        string id, HttpContext context, LifecycleChanges changes, RequestStore requests, ApiLinks links, IOptions<RequestsOptions> options,
        CancellationToken cancellationToken) =>
        ChangeAsync(changes.RetryAsync, RequestProblems.CannotRetry, id, context, requests, links, options.Value, cancellationToken);

    private static async Task<IResult> ChangeAsync(
        Func<OwnerId, RequestId, CancellationToken, Task<LifecycleResult?>> change, Problems.ApiProblem conflict,
        string id, HttpContext context, RequestStore requests, ApiLinks links, RequestsOptions options, CancellationToken cancellationToken)
    {
        var owner = context.User.OwnerId();
        if (!RequestIdText.TryParse(id, out var request))
            return RequestProblems.NotFound;
        var result = await change(owner, request, cancellationToken);
        switch (result)
        {
            case LifecycleResult.NotFound:
                return RequestProblems.NotFound;
            case LifecycleResult.Conflict:
                return conflict;
        }

        // While the change is still running this reads the old state: a change becomes visible only when it commits.
        var current = await requests.FindAsync(owner, request, cancellationToken).WaitAsync(options.QueryTimeout, cancellationToken);
        if (current is null)
            return RequestProblems.NotFound;
        context.Response.Headers.ETag = StatusEndpoints.ETagOf(current).ToString();
        if (result is null)
        {
            context.Response.StatusCode = StatusCodes.Status202Accepted;
            context.Response.Headers.RetryAfter = StatusEndpoints.Seconds(options.PollAfter);
        }

        return StatusEndpoints.RequestResult(RequestView.From(current, links));
    }
}
