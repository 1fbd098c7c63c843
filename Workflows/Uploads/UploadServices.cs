using Darkroom.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Darkroom.Uploads;

public static class UploadServices
{
    /// <summary>Adds receiving uploads and cleaning up abandoned ones. Requires the process lease and the object store.</summary>
    public static IServiceCollection AddUploads(this IServiceCollection services)
    {
        services.AddSettings<UploadSweeperOptions>("UploadSweep");
        services.AddSingleton<ActiveUploads>();
        services.AddSingleton<UploadStore>();
        services.AddSingleton<UploadSweeper>();
        services.AddHostedService(provider => provider.GetRequiredService<UploadSweeper>());
        return services;
    }
}
