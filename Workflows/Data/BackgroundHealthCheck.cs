using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Darkroom.Data;

/// <summary>Background work that can tell whether it fails at present.</summary>
public interface IReportsFailure
{
    /// <summary>Whether it failed lately and has not recovered.</summary>
    bool IsFailing { get; }
}

/// <summary>Degraded while background work of this process keeps failing: it still answers, but something is not getting done.</summary>
internal sealed class BackgroundHealthCheck(IServiceProvider services) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        // Resolved late, because hosted services may themselves depend on the health checks.
        var failing = services.GetServices<IHostedService>()
            .Where(service => service is IReportsFailure { IsFailing: true })
            .Select(service => service.GetType().Name)
            .ToList();
        return Task.FromResult(failing.Count == 0
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Degraded($"Failing: {string.Join(", ", failing)}."));
    }
}

public static class BackgroundHealthExtensions
{
    /// <summary>Lets the process's health say which of its background work fails.</summary>
    public static IServiceCollection AddBackgroundHealthCheck(this IServiceCollection services)
    {
        services.AddHealthChecks().AddCheck<BackgroundHealthCheck>("background");
        return services;
    }
}
