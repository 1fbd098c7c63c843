using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Darkroom.AppHost.Hosting;

/// <summary>Serves the photos of <c>Samples</c>, and CSVs that name them, so that the first request needs no internet.</summary>
internal static class SamplePhotos
{
    /// <summary>Where the committed CSVs say that the photos are.</summary>
    private const string WrittenUrl = "http://localhost:5082";

    /// <summary>Where the samples lie: with the source, or beside the published host.</summary>
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
            // Empty: it shares nothing with the host's own configuration.
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
            {
                kestrel.AddServerHeader = false;
                kestrel.Listen(IPAddress.Loopback, settings.SamplesPort);
            });
            var app = builder.Build();
            app.Run(new Server(settings).AnswerAsync);
            await app.StartAsync(cancellationToken);
            return app;
        }

        private async Task AnswerAsync(HttpContext context)
        {
            var name = Path.GetFileName(context.Request.Path.Value ?? "");
            var file = Path.Combine(Folder, name);
            // Only the folder itself: a path with a slash in it names nothing here.
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
            await context.Response.WriteAsync(csv.Replace(WrittenUrl, settings.SamplesUrl, StringComparison.Ordinal), context.RequestAborted);
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
