using Darkroom.Uploads;
using Microsoft.Extensions.DependencyInjection;

namespace Darkroom.Requests;

/// <summary>Registers reading and accepting requests.</summary>
public static class RequestServices
{
    /// <summary>Reading requests and their images.</summary>
    public static IServiceCollection AddRequestStores(this IServiceCollection services)
    {
        services.AddSingleton<RequestStore>();
        services.AddSingleton<RequestImageStore>();
        return services;
    }

    /// <summary>Receiving uploads, and clearing up after those that came to nothing. Needs the process' lease and the object storage.</summary>
    public static IServiceCollection AddUploads(this IServiceCollection services)
    {
        services.AddOptions<UploadSweeperOptions>().BindConfiguration("UploadSweep").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<ActiveUploads>();
        services.AddSingleton<UploadStore>();
        services.AddSingleton<UploadSweeper>();
        services.AddHostedService(provider => provider.GetRequiredService<UploadSweeper>());
        return services;
    }
}
