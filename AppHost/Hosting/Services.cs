using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Darkroom.AppHost.Hosting;

/// <summary>How the two services are set up, here and in a deployment.</summary>
internal static class Services
{
    /// <summary>Whether a connection string of this name was given to the host.</summary>
    public static bool IsGiven(this IDistributedApplicationBuilder builder, string name) =>
        !string.IsNullOrWhiteSpace(builder.Configuration.GetConnectionString(name));

    /// <summary>HTTP for people and programs; on this machine at the port that they know, without a proxy between.</summary>
    public static IResourceBuilder<ProjectResource> WithPublicEndpoint(this IResourceBuilder<ProjectResource> api, LocalRun? run)
    {
        // The API has a setting for the proxies that it believes, Server:TrustedProxies. Aspire would have it believe all.
        api.DisableForwardedHeaders();
        if (run is null) return api.WithHttpEndpoint().WithExternalHttpEndpoints().WithHttpHealthCheck("/health");
        return api.WithHttpEndpoint(port: run.Settings.ApiPort, isProxied: false)
            .WithPatientHttpCheck(run.Settings.ApiUrl + "/health")
            .WithUrlForEndpoint("http", url => url.DisplayText = "Page")
            .WithUrlForEndpoint("http", _ => new ResourceUrlAnnotation { Url = "/studio", DisplayText = "Studio" })
            .WithUrlForEndpoint("http", _ => new ResourceUrlAnnotation { Url = "/scalar", DisplayText = "API reference" })
            .WithIconName("GlobeDesktop");
    }

    /// <summary>The address that links lead to: of this machine, or a parameter of the deployment.</summary>
    public static void ShareLinks(
        this IDistributedApplicationBuilder builder, LocalRun? run, params IEnumerable<IResourceBuilder<ProjectResource>> services)
    {
        var deployed = run is null ? builder.AddParameter("public-url") : null;
        foreach (var service in services)
        {
            if (deployed is not null) service.WithEnvironment("Links__BaseUrl", deployed);
            else service.WithEnvironment("Links__BaseUrl", run!.Settings.ApiUrl);
        }
    }

    /// <summary>
    /// The environment that this host runs in; in development also its key, and sources on this machine, for the sample photos are
    /// there. Nowhere else may a CSV make us fetch from it.
    /// </summary>
    public static void RunHere(
        this IDistributedApplicationBuilder builder,
        LocalRun run,
        IResourceBuilder<ProjectResource> api,
        IResourceBuilder<ProjectResource> worker)
    {
        foreach (var service in new[] { api, worker })
        {
            service.WithEnvironment("DOTNET_ENVIRONMENT", builder.Environment.EnvironmentName);
            if (builder.Environment.IsDevelopment()) service.WithEnvironment("Egress__AllowLoopback", "true");
            // Without a dashboard, Aspire would have telemetry sent where nobody listens; to a collector of one's own it still goes.
            if (run.DashboardLink is null)
                service.WithEnvironment("OTEL_EXPORTER_OTLP_ENDPOINT", builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? "");
        }

        worker.WithReplicas(run.Settings.Workers).WithIconName("ImageArrowForward");
        if (!builder.Environment.IsDevelopment()) return;
        var key = builder.AddParameter("development-key", run.Data.Secrets.DevelopmentKey, secret: true);
        api.WithEnvironment("Access__DevelopmentKey", key)
            .WithEnvironment("Pages__SampleCsv", run.Settings.SamplesUrl + "/products.csv")
            .WithUploadCommands(run);
    }
}
