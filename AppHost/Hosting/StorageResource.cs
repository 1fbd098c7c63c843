using System.Globalization;
using Darkroom.AppHost.Storage;
using Microsoft.Extensions.Logging;

namespace Darkroom.AppHost.Hosting;

/// <summary>S3: the endpoint over a folder that runs inside this process.</summary>
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
                        DataFolder = run.Data.Below("s3"),
                        AccessKey = run.Data.Secrets.S3AccessKey,
                        SecretKey = run.Data.Secrets.S3SecretKey,
                        Bucket = Bucket,
                        Port = run.Settings.S3Port,
                        Logging = new SingleLog(log),
                    },
                    cancellationToken))
            .WithIconName("Storage");

    /// <summary>Of a server on this machine that has our bucket and our keys.</summary>
    public static ReferenceExpression ConnectionString(LocalRun run)
    {
        var port = run.Settings.S3Port.ToString(CultureInfo.InvariantCulture);
        return ReferenceExpression.Create(
            $"Endpoint=http://127.0.0.1:{port};Region=us-east-1;Bucket={Bucket};ForcePathStyle=true;AccessKey={run.Data.Secrets.S3AccessKey};SecretKey={run.Data.Secrets.S3SecretKey}");
    }

    /// <summary>All that is logged goes to the one log of the resource.</summary>
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
