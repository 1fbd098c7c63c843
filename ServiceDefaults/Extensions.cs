using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Microsoft.Extensions.Hosting;

/// <summary>Defaults for every service: telemetry, health checks, service discovery and resilient HTTP clients.</summary>
public static class Extensions
{
    private const string HealthPath = "/health";
    private const string AlivePath = "/alive";
    private const string AliveTag = "live";
    private const string ImageLinkPath = "/i";

    /// <summary>
    /// Darkroom's own activity sources and meters. All with a matching name are collected, so a new feature needs no registration.
    /// </summary>
    private const string ProductSources = "Darkroom*";

    private static readonly string[] UrlLoggers =
    [
        "Microsoft.AspNetCore.Hosting.Diagnostics", "Microsoft.AspNetCore.Routing.Matching", "Microsoft.AspNetCore.Http.Result.RedirectResult",
    ];

    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        builder.AddQuietLogLevels();
        builder.Logging.AddPrivateUrls();
        builder.AddTelemetryLimits();
        builder.ConfigureOpenTelemetry();
        builder.AddDefaultHealthChecks();
        builder.Services.AddServiceDiscovery();
        builder.Services.ConfigureHttpClientDefaults(http =>
        {
            // The services call only each other; a proxy in the environment is meant for other traffic.
            http.UseSocketsHttpHandler((handler, _) => handler.UseProxy = false);
            http.AddStandardResilienceHandler();
            http.AddServiceDiscovery();
        });
        return builder;
    }

    /// <summary>Runs until the process is asked to stop, even if that happens during startup.</summary>
    public static async Task RunUntilStoppedAsync(this IHost host)
    {
        var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        try
        {
            await host.RunAsync();
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Stopped during startup: a normal shutdown, nothing to report.
        }
    }

    /// <summary>
    /// The console gets JSON, except in development. Libraries log only warnings and errors; traces contain every statement and request.
    /// These are defaults: <c>Logging:LogLevel</c> in any other configuration source overrides them.
    /// </summary>
    private static void AddQuietLogLevels(this IHostApplicationBuilder builder) =>
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource
        {
            InitialData =
            [
                new("Logging:LogLevel:Microsoft.AspNetCore", "Warning"),
                // Warns that it does not encrypt its key ring: ours is encrypted where it is stored.
                new("Logging:LogLevel:Microsoft.AspNetCore.DataProtection", "Error"),
                new("Logging:LogLevel:Microsoft.Extensions.Http", "Warning"),
                new("Logging:LogLevel:System.Net.Http.HttpClient", "Warning"),
                new("Logging:LogLevel:Polly", "Warning"),
                new("Logging:LogLevel:Npgsql", "Warning"),
                new("Logging:LogLevel:StackExchange.Redis", "Warning"),
                // One JSON object a line: text from outside cannot forge a line, or a terminal's control characters.
                new("Logging:Console:FormatterName", builder.Environment.IsDevelopment() ? "simple" : "json"),
            ],
        });

    /// <summary>
    /// Turns off, at any configured level, what ASP.NET Core logs about whole URLs: they contain image links, the signatures of presigned
    /// links, and tokens in webhook URLs. Hosting would also add the path to every other record of the request.
    /// </summary>
    private static void AddPrivateUrls(this ILoggingBuilder logging)
    {
        foreach (var category in UrlLoggers)
            logging.AddFilter(category, LogLevel.None);
    }

    /// <summary>Logs, metrics and traces, exported to <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> if it is set.</summary>
    public static TBuilder ConfigureOpenTelemetry<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
        });

        var telemetry = builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation()
                .AddRuntimeInstrumentation()
                .AddMeter(ProductSources))
            .WithTracing(tracing => tracing
                .AddSource(builder.Environment.ApplicationName, ProductSources)
                .AddAspNetCoreInstrumentation(requests =>
                {
                    requests.Filter = IsNotProbe;
                    requests.EnrichWithHttpRequest = HideImageLink;
                })
                .AddHttpClientInstrumentation(QuietTraces.TraceWithinActivities));

        if (!string.IsNullOrWhiteSpace(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
            telemetry.UseOtlpExporter();
        return builder;
    }

    /// <summary>A check that passes as long as the process responds; data clients add their own.</summary>
    public static TBuilder AddDefaultHealthChecks<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddHealthChecks().AddCheck("self", () => HealthCheckResult.Healthy(), [AliveTag]);
        return builder;
    }

    /// <summary>
    /// <c>/health</c>: ready for traffic, all checks pass. <c>/alive</c>: the process responds; restart it if not. Both return a single
    /// word without details, so they are open in production too.
    /// </summary>
    public static WebApplication MapDefaultEndpoints(this WebApplication app)
    {
        app.MapHealthChecks(HealthPath).AllowAnonymous();
        app.MapHealthChecks(AlivePath, new HealthCheckOptions { Predicate = check => check.Tags.Contains(AliveTag) }).AllowAnonymous();
        return app;
    }

    /// <summary>Whoever has an image link can open the image, so the link itself is not traced.</summary>
    private static void HideImageLink(Activity span, HttpRequest request)
    {
        if (request.Path.StartsWithSegments(ImageLinkPath, StringComparison.OrdinalIgnoreCase))
            span.SetTag("url.path", ImageLinkPath + "/…");
    }

    /// <summary>Health probes every few seconds would drown out the traces that matter.</summary>
    private static bool IsNotProbe(HttpContext context) =>
        !context.Request.Path.StartsWithSegments(HealthPath) && !context.Request.Path.StartsWithSegments(AlivePath);
}
