using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Darkroom.Storage;

/// <summary>Healthy when the bucket answers to our credentials.</summary>
internal sealed class ObjectStoreHealthCheck(ObjectStore objects) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await objects.CheckAsync(cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (StorageException e)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, e.Code, e);
        }
    }
}
