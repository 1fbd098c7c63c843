using System.Security.Cryptography;
using System.Text;
using Darkroom.AppHost.Processes;
using Microsoft.Extensions.Configuration;

namespace Darkroom.AppHost.Hosting;

/// <summary>Postgres, Redis and S3 as containers: in a deployment, and locally with <c>Containers=true</c>.</summary>
internal static class Containers
{
    private const int MinioPort = 9000;

    /// <summary>Whether a local run uses containers.</summary>
    /// <exception cref="SettingException">Containers are enabled but no engine is running; Aspire would wait for one forever.</exception>
    public static async Task<bool> UsesContainersAsync(this IDistributedApplicationBuilder builder)
    {
        if (builder.ExecutionContext.IsPublishMode)
            return false;
        if (!HostSettings.ContainersEnabled(builder.Configuration))
            return false;
        var engines = builder.Configuration["ASPIRE_CONTAINER_RUNTIME"] is { Length: > 0 } named ? new[] { named } : ["docker", "podman"];
        var problems = await Task.WhenAll(engines.Select(ProbeAsync));
        return problems.Any(problem => problem is null)
            ? true
            : throw new SettingException(
                $"""
                Containers=true needs a running container engine, and none was found:
                {string.Join(Environment.NewLine, engines.Zip(problems, (engine, problem) => $"  {engine}: {problem}"))}
                Start one, or omit the setting to run Postgres, Redis and S3 without containers.
                """);
    }

    /// <summary>The volume's name is derived from the password, so deleting the data folder also starts over with a new volume.</summary>
    public static IResourceBuilder<PostgresServerResource> AddPostgresContainer(
        this IDistributedApplicationBuilder builder, string name, LocalRun? run)
    {
        if (run is null)
            return builder.AddPostgres(name).WithDataVolume();
        var password = builder.AddParameter(name + "-password", run.Data.Secrets.PostgresPassword, secret: true);
        var suffix = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(run.Data.Secrets.PostgresPassword)))[..8];
        return builder.AddPostgres(name, password: password).WithDataVolume($"darkroom-{suffix}-{name}");
    }

    /// <summary>MinIO, with its objects in the data folder and the same keys as the embedded endpoint.</summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddMinioContainer(
        this IDistributedApplicationBuilder builder, string name, LocalRun run)
    {
        var minio = builder.AddContainer("minio", "minio/minio", "RELEASE.2025-04-22T22-12-26Z")
            .WithEnvironment("MINIO_ROOT_USER", run.Data.Secrets.S3AccessKey)
            .WithEnvironment("MINIO_ROOT_PASSWORD", run.Data.Secrets.S3SecretKey)
            .WithBindMount(Directory.CreateDirectory(run.Data.PathTo("minio")).FullName, "/data")
            .WithEntrypoint("sh")
            // MinIO treats each folder under its data folder as a bucket.
            .WithArgs("-c", $"mkdir -p /data/{StorageResource.Bucket} && exec minio server /data")
            .WithHttpEndpoint(port: run.Settings.S3Port, targetPort: MinioPort)
            .WithHttpHealthCheck("/minio/health/live")
            .WithIconName("Storage");
        return builder.AddConnectionString(name, StorageResource.ConnectionString(run)).WaitFor(minio);
    }

    /// <summary>Null if the engine is running, otherwise what is wrong with it.</summary>
    private static async Task<string?> ProbeAsync(string engine)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            var info = await Command.RunAsync(engine, ["info"], Path.GetTempPath(), user: null, _ => { }, timeout.Token);
            return info.ExitCode == 0
                ? null
                : info.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault() ?? $"exited with code {info.ExitCode}";
        }
        catch (InvalidOperationException)
        {
            return "not installed";
        }
        catch (OperationCanceledException)
        {
            return "no response within 10 s";
        }
    }
}
