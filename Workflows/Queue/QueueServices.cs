using Darkroom.Configuration;
using Darkroom.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Darkroom.Queue;

/// <summary>Adds the image queue to a service that claims and records images.</summary>
public static class QueueServices
{
    /// <summary>Requires a data source, a Redis connection and the process lease, which the service registers.</summary>
    public static IHostApplicationBuilder AddImageQueue(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddTelemetry();
        services.AddSettings<QueueOptions>("Queue");
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<HeldClaims>();
        services.TryAddSingleton<ImageQueue>();
        services.TryAddSingleton<ImageFeeder>();
        services.TryAddSingleton<ImageClaimer>();
        services.TryAddSingleton<ImageRecorder>();
        return builder;
    }
}
