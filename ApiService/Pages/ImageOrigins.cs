using Darkroom.Storage;
using LinkOptions = Darkroom.Storage.LinkOptions;

namespace Darkroom.Api.Pages;

/// <summary>Where an output image's link may lead a browser: the API itself, then the object store or what stands before it.</summary>
internal static class ImageOrigins
{
    public static IEnumerable<string> Of(PagesOptions pages, LinkOptions? links, S3ConnectionString? storage) =>
    [
        // The page may have been opened under another name of this machine than the one in the links.
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
        // The region is known to the SDK only, from the environment of the machine.
        _ => ["https://*.amazonaws.com"],
    };

    private static IEnumerable<string> Origin(string? address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var url) ? [url.GetLeftPart(UriPartial.Authority)] : [];
}
