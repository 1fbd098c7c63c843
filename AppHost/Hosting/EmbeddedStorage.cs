using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Darkroom.AppHost.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Darkroom.AppHost.Hosting;

/// <summary>The S3 endpoint that runs inside this process, as a resource that services refer to.</summary>
internal static class EmbeddedStorage
{
    private const string Bucket = "darkroom";

    public static IResourceBuilder<ConnectionStringResource> AddEmbeddedStorage(
        this IDistributedApplicationBuilder builder, string name, DataFolder data, HostSettings settings)
    {
        builder.Services.AddHostedService(services => new Server(
            new S3EndpointOptions
            {
                DataFolder = data.Below("s3"),
                AccessKey = data.Secrets.S3AccessKey,
                SecretKey = data.Secrets.S3SecretKey,
                Bucket = Bucket,
                Port = settings.S3Port,
                Logging = services.GetRequiredService<ILoggerFactory>(),
            }));
        var port = settings.S3Port.ToString(CultureInfo.InvariantCulture);
        return builder.AddConnectionString(
            name,
            ReferenceExpression.Create(
                $"Endpoint=http://127.0.0.1:{port};Region=us-east-1;Bucket={Bucket};ForcePathStyle=true;AccessKey={data.Secrets.S3AccessKey};SecretKey={data.Secrets.S3SecretKey}"));
    }

    private sealed class Server(S3EndpointOptions options) : IHostedService
    {
        private S3Endpoint? _endpoint;

        public async Task StartAsync(CancellationToken cancellationToken) =>
            _endpoint = await S3Endpoint.StartAsync(options, cancellationToken);

        public async Task StopAsync(CancellationToken cancellationToken)
        {
            if (_endpoint is null) return;
            await _endpoint.StopAsync(cancellationToken);
            await _endpoint.DisposeAsync();
        }
    }
}
