using Darkroom.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Darkroom.Uploads;

public static class UploadServices
{
    /// <summary>Receiving uploads, and clearing up after those that came to nothing. Needs the process' lease and the object storage.</summary>
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
