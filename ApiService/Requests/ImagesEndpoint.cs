using Darkroom.Api.Access;
using Darkroom.Data;
using Darkroom.Requests;
using Darkroom.Storage;
using Microsoft.Extensions.Options;

namespace Darkroom.Api.Requests;

/// <summary>The images of a request, in the CSV's order.</summary>
internal static class ImagesEndpoint
{
    public static async Task<IResult> ListAsync(
        string id, string? state, string? cursor, string? limit, HttpContext context, RequestStore requests, RequestImageStore images,
        ApiLinks links, ImageLinks imageLinks, IOptions<RequestsOptions> options, CancellationToken cancellationToken)
    {
        // Whose request it is comes first: what else is wrong is told to its owner only.
        if (await requests.FindAsync(context.User.OwnerId(), id, cancellationToken).WaitAsync(cancellationToken) is not { } request) return RequestProblems.NotFound;
        if (state is not (null or "pending" or "succeeded" or "failed" or "cancelled")) return RequestProblems.BadState;
        if (Paging.Limit(limit, options.Value) is not { } size) return RequestProblems.BadLimit(options.Value.MaxPageSize);
        ImagePlace? after = null;
        if (cursor is not null)
        {
            if (!PageCursor.TryParse(cursor, out ImagePlace place)) return RequestProblems.BadCursor;
            after = place;
        }

        var found = FilterFor(state, request.Status) is { } filter
            ? await images.ListAsync(request.Id, filter, after, size + 1, cancellationToken).WaitAsync(cancellationToken)
            : [];
        var page = Paging.Cut(found, size, out var last);
        var next = last is null ? null : PageCursor.After(last.Place);
        Paging.LinkNext(context, links.Images(request.Id), [("state", state), ("limit", limit)], next);
        var view = new ImagePageView([.. page.Select(image => ImageView.From(image, request.Status, imageLinks))], next);
        return TypedResults.Json(view, RequestJson.Default.ImagePageView);
    }

    /// <summary>Null where no image can be in that state: the unfinished are pending, until the request is cancelled; then they are cancelled.</summary>
    internal static ImageFilter? FilterFor(string? state, RequestStatus request) => state switch
    {
        null => ImageFilter.All,
        "succeeded" => ImageFilter.Succeeded,
        "failed" => ImageFilter.Failed,
        "pending" => request == RequestStatus.Cancelled ? null : ImageFilter.Unfinished,
        "cancelled" => request == RequestStatus.Cancelled ? ImageFilter.Unfinished : null,
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, null),
    };
}
