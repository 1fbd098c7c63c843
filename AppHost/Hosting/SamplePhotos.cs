using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Darkroom.AppHost.Hosting;

/// <summary>Serves the photos in <c>Samples</c> and the CSVs that link to them, so that the first request needs no internet.</summary>
internal static class SamplePhotos
{
    /// <summary>The base URL in the committed CSVs, replaced by the actual one.</summary>
    private const string CommittedUrl = "http://localhost:5082";

    /// <summary>The samples in the source tree, or next to the published host.</summary>
    public static string Folder { get; } =
        new[] { Path.Combine(Repository.Root, "AppHost", "Samples"), Path.Combine(AppContext.BaseDirectory, "Samples") }
            .FirstOrDefault(Directory.Exists) ?? Path.Combine(AppContext.BaseDirectory, "Samples");

    public static IResourceBuilder<InProcessResource> AddSamplePhotos(this IDistributedApplicationBuilder builder, HostSettings settings) =>
        builder.AddInProcess(
                "samples",
                "Sample photos",
                ReferenceExpression.Create($"{settings.SamplesUrl}"),
                async (_, cancellationToken) => await Server.StartAsync(settings, cancellationToken))
            .WithUrl(settings.SamplesUrl + "/products.csv", "products.csv")
            .WithIconName("ImageMultiple");

    private sealed class Server(HostSettings settings)
    {
        public static async Task<IAsyncDisposable> StartAsync(HostSettings settings, CancellationToken cancellationToken)
        {
            // An empty builder shares nothing with the host's own configuration.
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
            {
                kestrel.AddServerHeader = false;
                kestrel.Listen(IPAddress.Loopback, settings.SamplesPort);
            });
            var app = builder.Build();
            app.Run(new Server(settings).HandleAsync);
            await app.StartAsync(cancellationToken);
            return app;
        }

        private async Task HandleAsync(HttpContext context)
        {
            var name = Path.GetFileName(context.Request.Path.Value ?? "");
            var file = Path.Combine(Folder, name);
            // Only files directly in the folder: no path with another slash is served.
            if (name.Length == 0 || context.Request.Path.Value != "/" + name || !File.Exists(file))
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return;
            }

            context.Response.ContentType = ContentType(Path.GetExtension(name));
            if (Path.GetExtension(name) != ".csv")
            {
                await context.Response.SendFileAsync(file, context.RequestAborted);
                return;
            }

            var csv = await File.ReadAllTextAsync(file, context.RequestAborted);
            await context.Response.WriteAsync(csv.Replace(CommittedUrl, settings.SamplesUrl, StringComparison.Ordinal), context.RequestAborted);
        }

        private static string ContentType(string extension) => extension.ToUpperInvariant() switch
        {
            ".JPG" or ".JPEG" => "image/jpeg",
            ".PNG" => "image/png",
            ".WEBP" => "image/webp",
            ".GIF" => "image/gif",
            ".TIF" or ".TIFF" => "image/tiff",
            ".AVIF" => "image/avif",
            ".CSV" => "text/csv; charset=utf-8",
            _ => "application/octet-stream",
        };
    }
}
