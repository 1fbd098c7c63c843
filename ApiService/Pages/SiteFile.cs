using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace Darkroom.Api.Pages;

/// <summary>A static file embedded in the assembly, so that it is found whatever the working directory is.</summary>
internal sealed record SiteFile(string Name, string ContentType, byte[] Bytes, byte[] Gzipped, string Hash)
{
    private static readonly string[] GetAndHead = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>All embedded files of a folder.</summary>
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
        // Files change only with a deployment: browsers revalidate each time and get a 304.
        headers.CacheControl = "no-cache";
        headers.Vary = HeaderNames.AcceptEncoding;

        var gzip = Accepts(context.Request, "gzip");
        if (gzip)
            headers.ContentEncoding = "gzip";
        return Results.Bytes(gzip ? Gzipped : Bytes, ContentType, entityTag: Tag(gzip)).ExecuteAsync(context);
    }

    public static bool Accepts(HttpRequest request, string coding) =>
        StringWithQualityHeaderValue.TryParseList(request.Headers.AcceptEncoding, out var accepted)
        && accepted.Any(item => item.Value.Equals(coding, StringComparison.OrdinalIgnoreCase) && item.Quality is null or > 0);

    // Each encoding is a representation of its own, so it needs its own ETag.
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
        var other => throw new InvalidOperationException($"No content type is defined for files ending in {other}."),
    };

    private static byte[] Gzip(byte[] bytes)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.SmallestSize))
            gzip.Write(bytes);
        return compressed.ToArray();
    }
}
