using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Darkroom.AppHost.Hosting;

/// <summary>
/// Health checks of resources that are still starting. Aspire asks at once and then after 1, 2, 3… seconds, which a start beats by
/// far; so the first check asks again and again until it has good news.
/// </summary>
internal static class PatientCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(150);

    /// <param name="resource">What is checked.</param>
    /// <param name="probe">Returns if it is healthy, throws what is wrong if not.</param>
    public static IResourceBuilder<T> WithPatientCheck<T>(this IResourceBuilder<T> resource, Func<CancellationToken, Task> probe)
        where T : IResource
    {
        var key = resource.Resource.Name + "-answers";
        var check = new Check(probe, TimeProvider.System);
        resource.ApplicationBuilder.Services.AddHealthChecks().AddAsyncCheck(key, check.RunAsync);
        return resource.WithHealthCheck(key);
    }

    /// <summary>Healthy while a GET is answered with success.</summary>
    public static IResourceBuilder<T> WithPatientHttpCheck<T>(this IResourceBuilder<T> resource, string url)
        where T : IResource =>
        resource.WithPatientCheck(async cancellationToken =>
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(TimeSpan.FromSeconds(5));
            using var response = await Http.GetAsync(new Uri(url), HttpCompletionOption.ResponseHeadersRead, limit.Token);
            response.EnsureSuccessStatusCode();
        });

    private static readonly HttpClient Http = new();

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
                    if (_wasHealthy || time.GetElapsedTime(started) > Patience) return HealthCheckResult.Unhealthy(e.Message);
                }

                await Task.Delay(Pause, time, cancellationToken);
            }
        }
    }
}
