using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Darkroom.Images.Decoders;

/// <summary>Unhealthy while no decoder can be started; degraded where the platform cannot confine them.</summary>
internal sealed class DecoderHealthCheck(DecoderPool decoders) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(decoders switch
        {
            { IsFailing: true } => HealthCheckResult.Unhealthy("No decoder can be started."),
            { Containment: { IsComplete: false } containment } =>
                HealthCheckResult.Degraded($"Decoders are not confined completely. Missing: {containment.Missing}."),
            _ => HealthCheckResult.Healthy(),
        });
}
