using Darkroom.Retention;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Darkroom.Runs;

public static class InstanceServices
{
    /// <summary>Adds what shows, clears away and deletes runs. Needs a database and the workflow engine.</summary>
    public static IServiceCollection AddInstances(this IServiceCollection services)
    {
        services.AddSingleton<InstanceStore>();
        services.AddSingleton<RunHistoryStore>();
        services.TryAddSingleton<InstanceRemover>();
        return services;
    }

    /// <summary>Adds what removes old journals; the process that runs it adds the service.</summary>
    public static IServiceCollection AddJournalRetention(this IServiceCollection services)
    {
        services.AddOptions<RetentionOptions>().BindConfiguration(RetentionOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton<InstanceRemover>();
        return services;
    }
}
