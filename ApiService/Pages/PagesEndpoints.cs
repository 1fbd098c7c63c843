using Darkroom.Configuration;
using Darkroom.Storage;
using Microsoft.Extensions.Options;
using LinkOptions = Darkroom.Storage.LinkOptions;

namespace Darkroom.Api.Pages;

/// <summary>The page at <c>/</c>: static files embedded in the assembly, with a Content-Security-Policy that allows no other origin except for images.</summary>
public static class PagesEndpoints
{
    public static IServiceCollection AddPages(this IServiceCollection services)
    {
        services.AddSettings<PagesOptions>(PagesOptions.Section);
        services.AddHttpClient(SampleCsv.Client, SampleCsv.Configure);
        return services;
    }

    public static IEndpointRouteBuilder MapPages(this IEndpointRouteBuilder routes)
    {
        var options = routes.ServiceProvider.GetRequiredService<IOptions<PagesOptions>>().Value;
        var pages = routes.MapGroup("").AllowAnonymous().ExcludeFromDescription();
        var images = ImageOrigins.Of(
            options, routes.ServiceProvider.GetService<IOptions<LinkOptions>>()?.Value, routes.ServiceProvider.GetService<S3ConnectionString>());
        var policy = ContentSecurityPolicy(images);

        foreach (var file in SiteFile.ReadAll("Site"))
            file.Map(pages, file.Name == "index.html" ? "/" : $"/pages/{file.Name}", policy);
        pages.MapMethods("/pages/sample.csv", GetAndHead, SampleCsv.GetAsync);
        return routes;
    }

    private static readonly string[] GetAndHead = [HttpMethods.Get, HttpMethods.Head];

    // Trusted types make the browser reject any string assigned as markup, should a later change to the page try it.
    private static string ContentSecurityPolicy(IEnumerable<string> images) => string.Join("; ",
        "default-src 'self'",
        string.Join(' ', ["img-src 'self' blob:", .. images.Distinct(StringComparer.OrdinalIgnoreCase)]),
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'");
}
