using Darkroom.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Darkroom.Leases;

public static class LeaseServices
{
    /// <summary>
    /// Adds this process' lease. Register it before all other hosted services, so that services that claim work stop first.
    /// </summary>
    /// <param name="kind">api or worker; shown in the processes table.</param>
    public static IServiceCollection AddProcessLease(this IServiceCollection services, string kind)
    {
        services.AddSettings<ProcessLeaseOptions>("Lease");
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(new ProcessKind(kind));
        services.AddSingleton<ProcessLease>();
        services.AddHostedService(provider => provider.GetRequiredService<ProcessLease>());
        return services;
    }
}
