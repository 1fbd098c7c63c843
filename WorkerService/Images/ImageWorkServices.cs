using Darkroom.Telemetry;

namespace Darkroom.Worker.Images;

internal static class ImageWorkServices
{
    /// <summary>Adds the service that claims and processes images.</summary>
    public static IServiceCollection AddImageWork(this IServiceCollection services)
    {
        services.AddTelemetry();
        services.AddSingleton<ImageBodyRunner>();
        services.AddHostedService<ImageService>();
        return services;
    }
}
