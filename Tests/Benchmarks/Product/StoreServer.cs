using System.Globalization;
using Darkroom.AppHost.Storage;
using Microsoft.AspNetCore.Http;

namespace Darkroom.Benchmarks.Product;

/// <summary>
/// An S3 store for either system: the AppHost's endpoint, or a sink, which takes images without looking at them and keeps only what is not one.
/// </summary>
internal static class StoreServer
{
    public const string Verb = "serve-s3";
    public const string Bucket = "processed";

    // What the Node system signs its requests with.
    private const string Secret = "S3RVER";

    public static string ConnectionString(string url) =>
        $"Endpoint={url};Region=us-east-1;Bucket={Bucket};ForcePathStyle=true;AccessKey={Secret};SecretKey={Secret}";

    /// <param name="isSink">Whether images vanish.</param>
    /// <param name="port">0: any.</param>
    public static Task<ChildServer> StartAsync(bool isSink, int port = 0) =>
        ChildServer.StartAsync(Verb, isSink.ToString(), port.ToString(CultureInfo.InvariantCulture));

    /// <summary>In the child process.</summary>
    public static async Task ServeAsync(bool isSink, int port)
    {
        var data = Directory.CreateTempSubdirectory("darkroom-bench-s3-");
        var served = new Served();
        try
        {
            await using var endpoint = await S3Endpoint.StartAsync(new S3EndpointOptions
            {
                DataFolder = data.FullName,
                AccessKey = Secret,
                SecretKey = Secret,
                Bucket = Bucket,
                Port = port,
                Intercept = context => ReceiveAsync(context, served, isSink),
            });
            await ChildServer.ServeAsync(endpoint.Url, served);
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    private static async Task ReceiveAsync(HttpContext context, Served served, bool isSink)
    {
        var isImage = HttpMethods.IsPut(context.Request.Method) && context.Request.ContentType is { } type && type.StartsWith("image/", StringComparison.Ordinal);
        if (!isImage)
            return;
        served.Add(context.Request.ContentLength ?? 0);
        if (!isSink)
            return;
        await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
        context.Response.Headers.ETag = "\"sink\"";
        await context.Response.StartAsync(context.RequestAborted);
    }
}
