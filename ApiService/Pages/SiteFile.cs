using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace Darkroom.Api.Pages;

/// <summary>One file of the page, held in the assembly: the same bytes wherever the service was started from.</summary>
internal sealed record SiteFile(string Name, string ContentType, byte[] Bytes, byte[] Gzipped, string Hash)
{
    private const string Prefix = "Site/";

    public static IReadOnlyList<SiteFile> All { get; } = [.. ReadAll(typeof(SiteFile).Assembly)];

    // Two encodings of one file are two representations: each has its own tag.
    public EntityTagHeaderValue Tag(bool gzipped) => new(gzipped ? $"\"{Hash}-gzip\"" : $"\"{Hash}\"");

    private static IEnumerable<SiteFile> ReadAll(Assembly assembly)
    {
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(resource)!;
            using var copy = new MemoryStream();
            stream.CopyTo(copy);
            yield return Create(resource[Prefix.Length..], copy.ToArray());
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
