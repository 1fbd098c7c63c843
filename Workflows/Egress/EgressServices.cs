using Darkroom.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Darkroom.Egress;

public static class EgressServices
{
    /// <summary>Adds the egress guard, for services that only check URLs or call webhooks.</summary>
    public static IServiceCollection AddEgress(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSettings<EgressOptions>("Egress");
        services.TryAddSingleton<INameResolver, SystemNameResolver>();
        services.TryAddSingleton<EgressGuard>();
        return services;
    }
}
