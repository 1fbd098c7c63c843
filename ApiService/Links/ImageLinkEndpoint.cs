using System.Globalization;
using Darkroom.Api.Problems;
using Darkroom.Api.Server;
using Darkroom.Data;
using Darkroom.Requests;
using Darkroom.Storage;
using Microsoft.Extensions.Options;
using LinkOptions = Darkroom.Storage.LinkOptions;

namespace Darkroom.Api.Links;

/// <summary>
/// <c>/i/{image}/{mac}</c>: the address of a finished image as it stands in output CSVs. It opens without a key, because its mac
/// proves that we made it for this very object; and it does not expire, because the short-lived address is made when it is opened.
/// </summary>
internal static class ImageLinkEndpoint
{
    private static readonly string[] GetAndHead = [HttpMethods.Get, HttpMethods.Head];

    private static readonly ApiProblem NotFound = new(StatusCodes.Status404NotFound, "image_not_found", "There is no such image.");

    public static IEndpointRouteBuilder MapImageLinks(this IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/i/{image}/{mac}", GetAndHead, RedirectAsync)
            .AllowAnonymous()
            .WithTags("Images")
            .WithSummary("Open a finished image")
            .WithDescription("Needs no API key: the link itself, as it stands in the output CSV, is the permission. Redirects to the image; do not store where to.")
            .Produces(StatusCodes.Status302Found)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .WithRequestTimeout(ApiServer.QueryTimeout);
        return routes;
    }

    private static async Task<IResult> RedirectAsync(
        string image, string mac, HttpContext context, RequestImageStore images, ImageLinks links, ObjectStore objects, IOptions<LinkOptions> options,
        CancellationToken cancellationToken)
    {
        if (!long.TryParse(image, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return NotFound;
        var id = new ImageId(number);
        if (await images.FindOutputKeyAsync(id, cancellationToken).WaitAsync(cancellationToken) is not { } key || !links.Verify(id, key, mac)) return NotFound;

        // The target expires in minutes: whoever keeps it instead of the link would hold a dead one.
        context.Response.Headers.CacheControl = "no-store";
        var lifetime = options.Value.Redirect;
        var target = HttpMethods.IsHead(context.Request.Method) ? objects.PresignHead(key, lifetime) : objects.PresignGet(key, lifetime);
        return Results.Redirect(target.AbsoluteUri);
    }
}
