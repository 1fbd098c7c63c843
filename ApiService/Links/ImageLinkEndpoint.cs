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
/// <c>/i/{image}/{mac}</c>: the link to a finished image in output CSVs. It needs no API key, because the MAC proves that we issued it for
/// exactly this object. It never expires: each request is redirected to a newly signed, short-lived URL.
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
            .WithDescription("Needs no API key: anyone with the link from the output CSV may open it. Redirects to the image; store this link, not the redirect's target, which expires.")
            .Produces(StatusCodes.Status302Found)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .WithRequestTimeout(ApiServer.QueryTimeout);
        return routes;
    }

    private static async Task<IResult> RedirectAsync(
        string image, string mac, HttpContext context, RequestImageStore images, ImageLinks links, ObjectStore objects, IOptions<LinkOptions> options,
        CancellationToken cancellationToken)
    {
        if (!long.TryParse(image, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return NotFound;
        var id = new ImageId(number);
        if (await images.FindOutputKeyAsync(id, cancellationToken).WaitAsync(cancellationToken) is not { } key || !links.Verify(id, key, mac))
            return NotFound;

        // The target expires within minutes, so a cached redirect would soon be a dead link.
        context.Response.Headers.CacheControl = "no-store";
        var lifetime = options.Value.Redirect;
        var target = HttpMethods.IsHead(context.Request.Method) ? objects.PresignHead(key, lifetime) : objects.PresignGet(key, lifetime);
        return Results.Redirect(target.AbsoluteUri);
    }
}
