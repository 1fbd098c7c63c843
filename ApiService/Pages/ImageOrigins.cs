using Darkroom.Storage;
using LinkOptions = Darkroom.Storage.LinkOptions;

namespace Darkroom.Api.Pages;

/// <summary>The origins that an output image may be loaded from: the API itself, which redirects, and the object store or the CDN in front of it.</summary>
internal static class ImageOrigins
{
    public static IEnumerable<string> Of(PagesOptions pages, LinkOptions? links, S3ConnectionString? storage) =>
    [
        // The page may have been opened under a different host name than the one in the links.
        .. Origin(links?.BaseUrl),
        .. storage is null ? [] : Of(storage),
        .. pages.ImageOrigins.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
    ];

    private static IEnumerable<string> Of(S3ConnectionString storage) => storage switch
    {
        { PublicBaseUrl: { } url } => Origin(url.AbsoluteUri),
        { Endpoint: { } endpoint, ForcePathStyle: true } => Origin(endpoint.AbsoluteUri),
        { Endpoint: { } endpoint } => [$"{endpoint.Scheme}://{storage.Bucket}.{endpoint.Authority}"],
        { Region: { } region } => [$"https://{storage.Bucket}.s3.{region}.amazonaws.com", $"https://s3.{region}.amazonaws.com"],
        // Only the SDK knows the region; it reads it from the environment.
        _ => ["https://*.amazonaws.com"],
    };

    private static IEnumerable<string> Origin(string? address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var url) ? [url.GetLeftPart(UriPartial.Authority)] : [];
}
