using Darkroom.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Darkroom.Telemetry;

public static class TelemetryServices
{
    /// <summary>Adds the product's metrics and the options of its traces. Whoever records needs it; adding it twice changes nothing.</summary>
    public static IServiceCollection AddTelemetry(this IServiceCollection services)
    {
        services.AddMetrics();
        services.TryAddSingleton<DarkroomMetrics>();
        services.AddSettings<TracingOptions>("Tracing");
        return services;
    }
}
