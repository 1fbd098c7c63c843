using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Darkroom.AppHost.Hosting;

/// <summary>Configures the API and the worker, locally and for a deployment.</summary>
internal static class Services
{
    /// <summary>Whether a connection string of this name is configured.</summary>
    public static bool HasConnectionString(this IDistributedApplicationBuilder builder, string name) =>
        !string.IsNullOrWhiteSpace(builder.Configuration.GetConnectionString(name));

    /// <summary>The API's public HTTP endpoint; locally on a fixed port and without Aspire's proxy.</summary>
    public static IResourceBuilder<ProjectResource> WithPublicEndpoint(this IResourceBuilder<ProjectResource> api, LocalRun? run)
    {
        // The API trusts only the proxies in its setting Server:TrustedProxies. By default Aspire would make it trust all.
        api.DisableForwardedHeaders();
        if (run is null)
            return api.WithHttpEndpoint().WithExternalHttpEndpoints().WithHttpHealthCheck("/health");
        return api.WithHttpEndpoint(port: run.Settings.ApiPort, isProxied: false)
            .WithStartupHttpHealthCheck(run.Settings.ApiUrl + "/health")
            .WithUrlForEndpoint("http", url => url.DisplayText = "Page")
            .WithUrlForEndpoint("http", _ => new ResourceUrlAnnotation { Url = "/studio", DisplayText = "Studio" })
            .WithUrlForEndpoint("http", _ => new ResourceUrlAnnotation { Url = "/scalar", DisplayText = "API reference" })
            .WithIconName("GlobeDesktop");
    }

    /// <summary>Sets the base URL of links: the local API, or a parameter of the deployment.</summary>
    public static IDistributedApplicationBuilder ShareLinks(
        this IDistributedApplicationBuilder builder, LocalRun? run, params IEnumerable<IResourceBuilder<ProjectResource>> services)
    {
        var deployed = run is null ? builder.AddParameter("public-url") : null;
        foreach (var service in services)
        {
            if (deployed is not null)
                service.WithEnvironment("Links__BaseUrl", deployed);
            else
                service.WithEnvironment("Links__BaseUrl", run!.Settings.ApiUrl);
        }

        return builder;
    }

    /// <summary>Sets the key that encrypts the secrets in the database: generated for the data folder, or a parameter of the deployment.</summary>
    public static void ShareEncryptionKey(
        this IDistributedApplicationBuilder builder, LocalRun? run, params IEnumerable<IResourceBuilder<ProjectResource>> services)
    {
        var key = run is null
            ? builder.AddParameter("secrets-key", secret: true)
            : builder.AddParameter("secrets-key", run.Data.Secrets.EncryptionKey, secret: true);
        foreach (var service in services)
            service.WithEnvironment("Secrets__Key", key);
    }

    /// <summary>
    /// Passes the host's environment name on to the services. In development, also the development key and access to loopback
    /// addresses, where the sample photos are served. In other environments, a CSV must not make us fetch from this machine.
    /// </summary>
    public static void ConfigureLocalRun(
        this IDistributedApplicationBuilder builder,
        LocalRun run,
        IResourceBuilder<ProjectResource> api,
        IResourceBuilder<ProjectResource> worker)
    {
        foreach (var service in new[] { api, worker })
        {
            service.WithEnvironment("DOTNET_ENVIRONMENT", builder.Environment.EnvironmentName);
            if (builder.Environment.IsDevelopment())
                service.WithEnvironment("Egress__AllowLoopback", "true");
            // Without a dashboard, Aspire would send telemetry to an endpoint that does not exist. A configured collector still gets it.
            if (run.DashboardLink is not null)
                continue;
            service.WithEnvironment("OTEL_EXPORTER_OTLP_ENDPOINT", builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? "");
            foreach (var name in (string[])["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_HEADERS"])
                if (builder.Configuration[name] is { Length: > 0 } value)
                    service.WithEnvironment(name, value);
        }

        worker.WithReplicas(run.Settings.Workers).WithIconName("ImageArrowForward");
        // The workers share the machine's cores: more images than cores at once end no sooner, but keep everything else waiting.
        if (builder.Configuration["Images:CodecSlots"] is null)
            worker.WithEnvironment("Images__CodecSlots", Math.Max(1, Environment.ProcessorCount / run.Settings.Workers).ToString(CultureInfo.InvariantCulture));
        if (run.DevelopmentKey is not { } developmentKey)
            return;
        var key = builder.AddParameter("development-key", developmentKey, secret: true);
        api.WithEnvironment("Access__DevelopmentKey", key)
            .WithEnvironment("Pages__SampleCsv", run.Settings.SamplesUrl + "/products.csv")
            .WithUploadCommands(run.Settings, developmentKey);
    }
}
