using System.Collections.Frozen;
using System.Diagnostics;
using System.Net;
using Darkroom.AppHost.Processes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Darkroom.Benchmarks.Product;

/// <summary>The image server of a shop: serves a folder of photos from memory, in a separate process so that its CPU time is measured separately.</summary>
internal sealed class PhotoServer : IAsyncDisposable
{
    public const string Verb = "serve";

    private readonly Process _process;

    private PhotoServer(Process process, string url) => (_process, Url) = (process, url);

    public string Url { get; }

    public int Id => _process.Id;

    public static async Task<PhotoServer> StartAsync(string folder)
    {
        var process = Process.Start(new ProcessStartInfo(DotnetHost.Path, [typeof(PhotoServer).Assembly.Location, Verb, folder])
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        })!;
        var url = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The photo server did not start.");
        return new PhotoServer(process, url);
    }

    /// <summary>Runs in the separate process. Serves until standard input closes, which also happens if the parent process dies.</summary>
    public static async Task ServeAsync(string folder)
    {
        var photos = PhotosIn(folder).ToFrozenDictionary(file => "/" + Path.GetFileName(file), File.ReadAllBytes, StringComparer.Ordinal);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        await using var app = builder.Build();
        app.Run(async context =>
        {
            if (!photos.TryGetValue(context.Request.Path, out var photo))
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return;
            }

            context.Response.ContentLength = photo.Length;
            await context.Response.Body.WriteAsync(photo);
        });
        await app.StartAsync();
        Console.WriteLine(app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single());
        await Console.In.ReadToEndAsync();
    }

    public static IReadOnlyList<string> PhotosIn(string folder)
    {
        var photos = Directory.EnumerateFiles(folder)
            .Where(file => Path.GetExtension(file).ToLowerInvariant() is ".jpg" or ".jpeg" or ".png" or ".webp" or ".gif" or ".tif" or ".tiff" or ".avif")
            .Order(StringComparer.Ordinal).ToList();
        return photos.Count > 0 ? photos : throw new InvalidOperationException($"No photos in {folder}.");
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
