using Darkroom.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Darkroom.Retention;

public static class RetentionServices
{
    /// <summary>Adds what deletes runs when people ask for it. Needs a database.</summary>
    public static IServiceCollection AddInstanceRemoval(this IServiceCollection services)
    {
        services.TryAddSingleton<InstanceRemover>();
        return services;
    }

    /// <summary>Adds the sweeping of objects that nothing refers to. Needs the object store.</summary>
    public static IServiceCollection AddObjectSweep(this IServiceCollection services)
    {
        services.AddSettings<ObjectSweeperOptions>("ObjectSweep");
        services.AddHostedService<ObjectSweeper>();
        return services;
    }

    /// <summary>Adds what removes old journals; the process that runs it adds the service.</summary>
    public static IServiceCollection AddJournalRetention(this IServiceCollection services)
    {
        services.AddSettings<RetentionOptions>(RetentionOptions.Section);
        services.TryAddSingleton<InstanceRemover>();
        return services;
    }
}
