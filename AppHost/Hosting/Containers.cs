using System.Security.Cryptography;
using System.Text;
using Darkroom.AppHost.Processes;
using Microsoft.Extensions.Configuration;

namespace Darkroom.AppHost.Hosting;

/// <summary>Postgres, Redis and S3 as containers: in a deployment, and on this machine where they are asked for.</summary>
internal static class Containers
{
    private const int MinioPort = 9000;

    /// <summary>Whether this machine shall run containers.</summary>
    /// <exception cref="SettingException">They are asked for, and no engine runs: Aspire would wait for one without end.</exception>
    public static async Task<bool> WantsContainersAsync(this IDistributedApplicationBuilder builder)
    {
        if (builder.ExecutionContext.IsPublishMode) return false;
        if (!HostSettings.WantsContainers(builder.Configuration)) return false;
        var engines = builder.Configuration["ASPIRE_CONTAINER_RUNTIME"] is { Length: > 0 } named ? new[] { named } : ["docker", "podman"];
        var answers = await Task.WhenAll(engines.Select(AskAsync));
        return answers.Any(trouble => trouble is null)
            ? true
            : throw new SettingException(
                $"""
                Containers=true needs a running container engine, and none answers:
                {string.Join(Environment.NewLine, engines.Zip(answers, (engine, trouble) => $"  {engine}: {trouble}"))}
                Start one, or leave the setting out: Postgres, Redis and S3 then run without containers.
                """);
    }

    /// <summary>With its data in a volume that belongs to the data folder: deleting the folder makes a new password, and with it a new volume.</summary>
    public static IResourceBuilder<PostgresServerResource> AddPostgresContainer(
        this IDistributedApplicationBuilder builder, string name, LocalRun? run)
    {
        if (run is null) return builder.AddPostgres(name).WithDataVolume();
        var password = builder.AddParameter(name + "-password", run.Data.Secrets.PostgresPassword, secret: true);
        var mark = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(run.Data.Secrets.PostgresPassword)))[..8];
        return builder.AddPostgres(name, password: password).WithDataVolume($"darkroom-{mark}-{name}");
    }

    /// <summary>MinIO, with its objects in the data folder and the keys of the embedded endpoint.</summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddMinioContainer(
        this IDistributedApplicationBuilder builder, string name, LocalRun run)
    {
        var minio = builder.AddContainer("minio", "minio/minio", "RELEASE.2025-04-22T22-12-26Z")
            .WithEnvironment("MINIO_ROOT_USER", run.Data.Secrets.S3AccessKey)
            .WithEnvironment("MINIO_ROOT_PASSWORD", run.Data.Secrets.S3SecretKey)
            .WithBindMount(Directory.CreateDirectory(run.Data.Below("minio")).FullName, "/data")
            .WithEntrypoint("sh")
            // A folder in its data is a bucket.
            .WithArgs("-c", $"mkdir -p /data/{StorageResource.Bucket} && exec minio server /data")
            .WithHttpEndpoint(port: run.Settings.S3Port, targetPort: MinioPort)
            .WithHttpHealthCheck("/minio/health/live")
            .WithIconName("Storage");
        return builder.AddConnectionString(name, StorageResource.ConnectionString(run)).WaitFor(minio);
    }

    /// <summary>Null: it runs. Else what it said.</summary>
    private static async Task<string?> AskAsync(string engine)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            var info = await Command.RunAsync(engine, ["info"], Path.GetTempPath(), user: null, _ => { }, limit.Token);
            return info.ExitCode == 0
                ? null
                : info.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault() ?? $"ended with {info.ExitCode}";
        }
        catch (InvalidOperationException)
        {
            return "not installed";
        }
        catch (OperationCanceledException)
        {
            return "does not answer within 10 s";
        }
    }
}
