using Darkroom.Api.Access;
using Darkroom.Requests;

namespace Darkroom.Api.Requests;

/// <summary>What an owner may do to a request after it was accepted.</summary>
internal static class LifecycleEndpoints
{
    public static Task<IResult> CancelAsync(
        string id, HttpContext context, RequestLifecycle lifecycle, RequestStore requests, ApiLinks links, CancellationToken cancellation) =>
        ChangeAsync(lifecycle.CancelAsync, RequestProblems.CannotCancel, id, context, requests, links, cancellation);

    public static Task<IResult> RetryAsync(
        string id, HttpContext context, RequestLifecycle lifecycle, RequestStore requests, ApiLinks links, CancellationToken cancellation) =>
        ChangeAsync(lifecycle.RetryAsync, RequestProblems.CannotRetry, id, context, requests, links, cancellation);

    private static async Task<IResult> ChangeAsync(
        Func<OwnerId, RequestId, CancellationToken, Task<LifecycleResult>> change, Problems.ApiProblem conflict,
        string id, HttpContext context, RequestStore requests, ApiLinks links, CancellationToken cancellation)
    {
        var owner = context.User.OwnerId();
        if (!RequestIdText.TryParse(id, out var request)) return RequestProblems.NotFound;
        switch (await change(owner, request, cancellation))
        {
            case LifecycleResult.NotFound:
                return RequestProblems.NotFound;
            case LifecycleResult.Conflict:
                return conflict;
            default:
                var changed = await requests.FindAsync(owner, request, cancellation);
                if (changed is null) return RequestProblems.NotFound;
                context.Response.Headers.ETag = StatusEndpoints.ETagOf(changed).ToString();
                context.Response.Headers.CacheControl = "no-store";
                return StatusEndpoints.RequestResult(RequestView.From(changed, links));
        }
    }
}
