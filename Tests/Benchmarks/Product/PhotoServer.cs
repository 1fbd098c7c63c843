using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Darkroom.Benchmarks.Product;

/// <summary>The image server of a shop: serves a folder of photos from memory.</summary>
internal static class PhotoServer
{
    public const string Verb = "serve";

    private const int ImagesPerRow = 4;

    /// <param name="folder">The photos.</param>
    /// <param name="port">0: any.</param>
    public static Task<ChildServer> StartAsync(string folder, int port = 0) =>
        ChildServer.StartAsync(Verb, folder, port.ToString(CultureInfo.InvariantCulture));

    /// <summary>In the child process.</summary>
    public static async Task ServeAsync(string folder, int port)
    {
        var photos = PhotosIn(folder).ToFrozenDictionary(file => "/" + Path.GetFileName(file), File.ReadAllBytes, StringComparer.Ordinal);
        var served = new Served();
        var (app, url) = await ChildServer.ListenAsync(port, async context =>
        {
            if (!photos.TryGetValue(context.Request.Path, out var photo))
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return;
            }

            context.Response.ContentLength = photo.Length;
            await context.Response.Body.WriteAsync(photo);
            served.Add(photo.Length);
        });
        await using (app)
            await ChildServer.ServeAsync(url, served);
    }

    public static IReadOnlyList<string> PhotosIn(string folder)
    {
        var photos = Directory.EnumerateFiles(folder)
            .Where(file => Path.GetExtension(file).ToLowerInvariant() is ".jpg" or ".jpeg" or ".png" or ".webp" or ".gif" or ".tif" or ".tiff" or ".avif")
            .Order(StringComparer.Ordinal).ToList();
        return photos.Count > 0 ? photos : throw new InvalidOperationException($"No photos in {folder}.");
    }

    /// <summary>A CSV of so many of its images, each with a URL of its own.</summary>
    public static byte[] Csv(string url, string folder, int count)
    {
        var names = PhotosIn(folder).Select(file => Uri.EscapeDataString(Path.GetFileName(file))).ToList();
        var csv = new StringBuilder("S. No.,Product Name,Input Image Urls\n");
        foreach (var row in Enumerable.Range(0, count).Chunk(ImagesPerRow))
        {
            var urls = row.Select(i => string.Create(CultureInfo.InvariantCulture, $"{url}/{names[i % names.Count]}?i={i}"));
            var serial = row[0] / ImagesPerRow + 1;
            csv.Append(CultureInfo.InvariantCulture, $"{serial},Product {serial},\"{string.Join(", ", urls)}\"\n");
        }

        return Encoding.UTF8.GetBytes(csv.ToString());
    }
}
