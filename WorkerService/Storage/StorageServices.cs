using Darkroom.Retention;

namespace Darkroom.Worker.Storage;

internal static class StorageServices
{
    /// <summary>Adds the sweeping of objects that nothing refers to. Needs the object store.</summary>
    public static IServiceCollection AddObjectSweep(this IServiceCollection services)
    {
        services.AddOptions<ObjectSweeperOptions>().BindConfiguration("ObjectSweep").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<ObjectSweeper>();
        services.AddHostedService<ObjectSweeperService>();
        return services;
    }
}
