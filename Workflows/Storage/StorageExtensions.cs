using Amazon.S3;
using Darkroom.Configuration;
using Darkroom.Protection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Darkroom.Storage;

public static class StorageExtensions
{
    /// <summary>Adds <see cref="ObjectStore"/> for the connection string <c>s3</c>, with its health check.</summary>
    public static IHostApplicationBuilder AddObjectStore(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSettings<ObjectStoreOptions>("Storage");
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.TryAddSingleton(S3ConnectionString.Parse(builder.Configuration.GetConnectionString("s3")));
        builder.Services.TryAddSingleton<IAmazonS3>(services => S3ClientFactory.Create(
            services.GetRequiredService<S3ConnectionString>(),
            services.GetRequiredService<IOptions<ObjectStoreOptions>>().Value));
        builder.Services.TryAddSingleton<ObjectStore>();
        builder.Services.AddHealthChecks().AddCheck<ObjectStoreHealthCheck>("s3");
        return builder;
    }

    /// <summary>Adds <see cref="ImageLinks"/> and <see cref="LinkOptions"/>. Needs the database and <see cref="AddObjectStore"/>.</summary>
    public static IHostApplicationBuilder AddImageLinks(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSettings<LinkOptions>("Links");
        builder.Services.AddInstallationSecrets();
        builder.Services.TryAddSingleton<ImageLinks>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ImageLinks>());
        return builder;
    }

    /// <summary>Adds <see cref="InstallationSecrets"/>. Needs the database.</summary>
    internal static IServiceCollection AddInstallationSecrets(this IServiceCollection services)
    {
        services.AddSecretProtection();
        services.TryAddSingleton<InstallationSecrets>();
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IStoredSecrets, InstallationSecrets>(provider => provider.GetRequiredService<InstallationSecrets>()));
        return services;
    }
}

/// <summary>Healthy if the bucket exists and accepts our credentials.</summary>
internal sealed class ObjectStoreHealthCheck(ObjectStore objects) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await objects.CheckAsync(cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (StorageException e)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, e.Code, e);
        }
    }
}
