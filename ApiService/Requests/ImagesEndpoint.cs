using Darkroom.Api.Access;
using Darkroom.Data;
using Darkroom.Requests;
using Darkroom.Storage;
using Microsoft.Extensions.Options;

namespace Darkroom.Api.Requests;

/// <summary>Lists the images of a request in CSV order.</summary>
internal static class ImagesEndpoint
{
    public static async Task<IResult> ListAsync(
        string id, string? state, string? cursor, string? limit, HttpContext context, RequestStore requests, RequestImageStore images,
        ApiLinks links, ImageLinks imageLinks, IOptions<RequestsOptions> options, CancellationToken cancellationToken)
    {
        // Ownership first: only the owner is told what else is wrong.
        if (await requests.FindAsync(context.User.OwnerId(), id, cancellationToken).WaitAsync(cancellationToken) is not { } request)
            return RequestProblems.NotFound;
        if (state is not (null or "pending" or "succeeded" or "failed" or "cancelled"))
            return RequestProblems.BadState;
        if (Paging.ParseLimit(limit, options.Value) is not { } size)
            return RequestProblems.BadLimit(options.Value.MaxPageSize);
        ImagePlace? after = null;
        if (cursor is not null)
        {
            if (!PageCursor.TryParse(cursor, out ImagePlace place))
                return RequestProblems.BadCursor;
            after = place;
        }

        var found = FilterFor(state, request.Status) is { } filter
            ? await images.ListAsync(request.Id, filter, after, size + 1, cancellationToken).WaitAsync(cancellationToken)
            : [];
        var page = Paging.TakePage(found, size, out var last);
        var next = last is null ? null : PageCursor.After(last.Place);
        Paging.AddNextLink(context, links.Images(request.Id), [("state", state), ("limit", limit)], next);
        var view = new ImagePageView([.. page.Select(image => ImageView.From(image, request.Status, imageLinks))], next);
        return TypedResults.Json(view, RequestJson.Default.ImagePageView);
    }

    /// <summary>Null if no image can be in that state: unfinished images are pending, or cancelled once the request is cancelled.</summary>
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
