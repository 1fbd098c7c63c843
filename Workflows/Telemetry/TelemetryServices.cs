using Darkroom.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Darkroom.Telemetry;

public static class TelemetryServices
{
    /// <summary>Adds the product's metrics and tracing options. Calling it more than once has no effect.</summary>
    public static IServiceCollection AddTelemetry(this IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(DarkroomMetrics)))
            return services;
        services.AddMetrics();
        services.AddSingleton<DarkroomMetrics>();
        services.AddSettings<TracingOptions>("Tracing");
        return services;
    }
}
