using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Darkroom.AppHost.Storage;

/// <summary>
/// An S3 endpoint on loopback that stores objects in a folder. Supports signatures, checksums, ranges, listings and multipart uploads
/// as the AWS SDKs use them by default, and nothing else. For machines without an S3 server.
/// </summary>
public sealed class S3Endpoint : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly S3EndpointOptions _options;

    private S3Endpoint(WebApplication app, S3EndpointOptions options)
    {
        _app = app;
        _options = options;
        var addresses = app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses;
        Url = new Uri(addresses.Single());
    }

    public Uri Url { get; }

    /// <summary>The value of <c>ConnectionStrings__s3</c> for a service that uses this endpoint.</summary>
    public string ConnectionString =>
        $"Endpoint={Url.GetLeftPart(UriPartial.Authority)};Region={_options.Region};Bucket={_options.Bucket};ForcePathStyle=true;" +
        $"AccessKey={_options.AccessKey};SecretKey={_options.SecretKey}";

    /// <exception cref="IOException">The port is in use; the inner exception is <c>AddressInUseException</c>.</exception>
    public static async Task<S3Endpoint> StartAsync(S3EndpointOptions options, CancellationToken cancellationToken = default)
    {
        var logging = options.Logging ?? NullLoggerFactory.Instance;
        var buckets = new BucketFolders(options.DataFolder);
        buckets.Create(options.Bucket);
        var service = new S3Service(buckets, new SignatureV4(options), options, logging.CreateLogger<S3Service>());

        // An empty builder, because the endpoint must not read its host's configuration or write to its console.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(logging);
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>, LargeBlocks>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, options.Port);
        });
        var app = builder.Build();
        app.Run(service.HandleAsync);
        try
        {
            await app.StartAsync(cancellationToken);
            return new S3Endpoint(app, options);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken = default) => await _app.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
