using OpenTelemetry.Instrumentation.AspNetCore;

namespace Darkroom.Api.Links;

/// <summary>Keeps the links themselves out of traces: whoever has one can open its image.</summary>
internal static class ImageLinkTraces
{
    public static IServiceCollection HideImageLinksInTraces(this IServiceCollection services) =>
        services.Configure<AspNetCoreTraceInstrumentationOptions>(traces => traces.EnrichWithHttpRequest = (span, request) =>
        {
            if (request.Path.StartsWithSegments("/i", StringComparison.OrdinalIgnoreCase))
                span.SetTag("url.path", "/i/…");
        });
}
