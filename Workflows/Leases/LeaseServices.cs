using Darkroom.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Darkroom.Leases;

public static class LeaseServices
{
    /// <summary>Adds this process' lease. First of all hosted services: whatever claims work stops before it does.</summary>
    /// <param name="kind">api or worker; shown in the table of processes.</param>
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
