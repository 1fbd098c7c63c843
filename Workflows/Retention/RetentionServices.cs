using Darkroom.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Darkroom.Retention;

public static class RetentionServices
{
    /// <summary>Adds deletion of runs on request. Requires a database.</summary>
    public static IServiceCollection AddInstanceRemoval(this IServiceCollection services)
    {
        services.TryAddSingleton<InstanceRemover>();
        return services;
    }

    /// <summary>Adds the sweeper for unreferenced objects. Requires the object store.</summary>
    public static IServiceCollection AddObjectSweep(this IServiceCollection services)
    {
        services.AddSettings<ObjectSweeperOptions>("ObjectSweep");
        services.AddHostedService<ObjectSweeper>();
        return services;
    }

    /// <summary>Adds removal of old journals; the process that runs it registers the hosted service.</summary>
    public static IServiceCollection AddJournalRetention(this IServiceCollection services)
    {
        services.AddSettings<RetentionOptions>(RetentionOptions.Section);
        services.TryAddSingleton<InstanceRemover>();
        return services;
    }
}
