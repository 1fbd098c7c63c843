using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace Darkroom.Api.Pages;

/// <summary>One file of the page, held in the assembly: the same bytes wherever the service was started from.</summary>
internal sealed record SiteFile(string Name, string ContentType, byte[] Bytes, byte[] Gzipped, string Hash)
{
    private static readonly string[] GetAndHead = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>The files of one folder of resources.</summary>
    public static IReadOnlyList<SiteFile> ReadAll(string folder) => [.. Read(typeof(SiteFile).Assembly, folder + "/")];

    public void Map(IEndpointRouteBuilder routes, string address, string policy) =>
        routes.MapMethods(address, GetAndHead, context => SendAsync(context, policy));

    /// <param name="context">The request to answer.</param>
    /// <param name="policy">The Content-Security-Policy.</param>
    public Task SendAsync(HttpContext context, string policy)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()";
        // Files change only with the service: ask each time, and be answered 304.
        headers.CacheControl = "no-cache";
        headers.Vary = HeaderNames.AcceptEncoding;

        var gzip = Accepts(context.Request, "gzip");
        if (gzip)
            headers.ContentEncoding = "gzip";
        return Results.Bytes(gzip ? Gzipped : Bytes, ContentType, entityTag: Tag(gzip)).ExecuteAsync(context);
    }

    public static bool Accepts(HttpRequest request, string coding) =>
        StringWithQualityHeaderValue.TryParseList(request.Headers.AcceptEncoding, out var accepted)
        && accepted.Any(offer => offer.Value.Equals(coding, StringComparison.OrdinalIgnoreCase) && offer.Quality is null or > 0);

    // Two encodings of one file are two representations: each has its own tag.
    private EntityTagHeaderValue Tag(bool gzipped) => new(gzipped ? $"\"{Hash}-gzip\"" : $"\"{Hash}\"");

    private static IEnumerable<SiteFile> Read(Assembly assembly, string prefix)
    {
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith(prefix, StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(resource)!;
            using var copy = new MemoryStream();
            stream.CopyTo(copy);
            yield return Create(resource[prefix.Length..], copy.ToArray());
        }
    }

    private static SiteFile Create(string name, byte[] bytes)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 10));
        return new SiteFile(name, ContentTypeOf(name), bytes, Gzip(bytes), hash);
    }

    private static string ContentTypeOf(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        var other => throw new InvalidOperationException($"The page has a file of a kind without a content type: {other}."),
    };

    private static byte[] Gzip(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize))
            gzip.Write(bytes);
        return packed.ToArray();
    }
}
