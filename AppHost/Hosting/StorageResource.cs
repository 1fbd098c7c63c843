using System.Globalization;
using Darkroom.AppHost.Storage;
using Microsoft.Extensions.Logging;

namespace Darkroom.AppHost.Hosting;

/// <summary>The S3 endpoint that runs inside this process and stores objects in a folder.</summary>
internal static class StorageResource
{
    public const string Bucket = "darkroom";

    public static IResourceBuilder<InProcessResource> AddS3Endpoint(this IDistributedApplicationBuilder builder, string name, LocalRun run) =>
        builder.AddInProcess(
                name,
                "S3 endpoint",
                ConnectionString(run),
                async (log, cancellationToken) => await S3Endpoint.StartAsync(
                    new S3EndpointOptions
                    {
                        DataFolder = run.Data.PathTo("s3"),
                        AccessKey = run.Data.Secrets.S3AccessKey,
                        SecretKey = run.Data.Secrets.S3SecretKey,
                        Bucket = Bucket,
                        Port = run.Settings.S3Port,
                        Logging = new SingleLog(log),
                    },
                    cancellationToken))
            .WithIconName("Storage");

    /// <summary>Connection string of a local S3 server that has our bucket and keys.</summary>
    public static ReferenceExpression ConnectionString(LocalRun run)
    {
        var port = run.Settings.S3Port.ToString(CultureInfo.InvariantCulture);
        return ReferenceExpression.Create(
            $"Endpoint=http://127.0.0.1:{port};Region=us-east-1;Bucket={Bucket};ForcePathStyle=true;AccessKey={run.Data.Secrets.S3AccessKey};SecretKey={run.Data.Secrets.S3SecretKey}");
    }

    /// <summary>Sends all categories to the resource's log.</summary>
    private sealed class SingleLog(ILogger log) : ILoggerFactory
    {
        public ILogger CreateLogger(string categoryName) => log;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose()
        {
        }
    }
}
