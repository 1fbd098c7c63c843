using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Darkroom.AppHost.Hosting;

/// <summary>
/// Health checks that notice a successful start quickly. Aspire checks at once and then after 1, 2, 3… seconds, which is longer than
/// most starts take; so until it first succeeds, a check keeps retrying for up to <see cref="StartTimeout"/>.
/// </summary>
internal static class StartupHealthCheck
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(150);

    /// <param name="resource">The resource to check.</param>
    /// <param name="probe">Returns if the resource is healthy and throws otherwise.</param>
    public static IResourceBuilder<T> WithStartupHealthCheck<T>(this IResourceBuilder<T> resource, Func<CancellationToken, Task> probe)
        where T : IResource
    {
        var key = resource.Resource.Name + "-answers";
        var check = new Check(probe, TimeProvider.System);
        resource.ApplicationBuilder.Services.AddHealthChecks().AddAsyncCheck(key, check.RunAsync);
        return resource.WithHealthCheck(key);
    }

    /// <summary>Healthy while a GET returns a success status.</summary>
    public static IResourceBuilder<T> WithStartupHttpHealthCheck<T>(this IResourceBuilder<T> resource, string url)
        where T : IResource =>
        resource.WithStartupHealthCheck(async cancellationToken =>
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            timeout.CancelAfter(TimeSpan.FromSeconds(5));
            using var response = await Http.GetAsync(new Uri(url), HttpCompletionOption.ResponseHeadersRead, timeout.Token);
            response.EnsureSuccessStatusCode();
        });

    private static readonly HttpClient Http = LocalHttp.CreateClient();

    private sealed class Check(Func<CancellationToken, Task> probe, TimeProvider time)
    {
        private bool _wasHealthy;

        public async Task<HealthCheckResult> RunAsync(CancellationToken cancellationToken)
        {
            var started = time.GetTimestamp();
            while (true)
            {
                try
                {
                    await probe(cancellationToken);
                    _wasHealthy = true;
                    return HealthCheckResult.Healthy();
                }
                catch (Exception e) when (!cancellationToken.IsCancellationRequested)
                {
                    if (_wasHealthy || time.GetElapsedTime(started) > StartTimeout)
                        return HealthCheckResult.Unhealthy(e.Message);
                }

                await Task.Delay(RetryDelay, time, cancellationToken);
            }
        }
    }
}
