using Microsoft.Extensions.DependencyInjection;

namespace Darkroom.Runs;

public static class InstanceServices
{
    /// <summary>Adds what shows runs. Needs a database and the workflow engine.</summary>
    public static IServiceCollection AddInstances(this IServiceCollection services)
    {
        services.AddSingleton<InstanceStore>();
        services.AddSingleton<RunHistoryStore>();
        return services;
    }
}
