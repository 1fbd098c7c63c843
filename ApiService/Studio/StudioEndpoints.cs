using Darkroom.Access;
using Darkroom.Api.Access;
using Darkroom.Api.Pages;
using Darkroom.Api.Studio.Sessions;
using Darkroom.Configuration;
using Microsoft.Net.Http.Headers;

namespace Darkroom.Api.Studio;

/// <summary><c>/studio</c>: the unmodified Elsa Studio inside a page of ours, which handles sign-in, page titles and navigation between views.</summary>
public static class StudioEndpoints
{
    private const string Home = "/studio/workflows/definitions";

    // Studio itself navigates to these addresses.
    private static readonly string[] Views =
    [
        Home,
        "/studio/workflows/definitions/{definitionId}/edit",
        "/studio/workflows/instances",
        "/studio/workflows/instances/{instanceId}/view",
    ];

    private static readonly string[] GetAndHead = [HttpMethods.Get, HttpMethods.Head];

    // Studio needs inline scripts, inline styles and WebAssembly. Everything it loads comes from this origin.
    private static readonly string StudioPolicy = string.Join("; ",
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'none'",
        "frame-ancestors 'none'");

    private static readonly string SitePolicy = string.Join("; ",
        "default-src 'self'", "object-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
        "require-trusted-types-for 'script'", "trusted-types 'none'");

    /// <summary>Adds Studio's package and its sessions. Call it after <c>AddAccess</c>.</summary>
    public static IServiceCollection AddStudio(this IServiceCollection services)
    {
        services.AddSettings<StudioOptions>(StudioOptions.Section);
        services.AddSingleton<StudioPackage>();
        return services.AddStudioSessions();
    }

    public static IEndpointRouteBuilder MapStudio(this IEndpointRouteBuilder routes)
    {
        var site = SiteFile.ReadAll("Studio").ToDictionary(file => file.Name);
        var studio = routes.MapGroup("").AllowAnonymous().ExcludeFromDescription();
        studio.MapMethods("/studio", GetAndHead, () => Results.Redirect(Home));
        foreach (var view in Views)
            studio.MapMethods(view, GetAndHead, (HttpContext context, StudioPackage package) => ShowViewAsync(context, package, site));
        site["sign-in.html"].Map(studio, "/studio/sign-in", SitePolicy);
        foreach (var file in site.Values.Where(file => !file.Name.EndsWith(".html", StringComparison.Ordinal)))
            file.Map(studio, $"/studio/site/{file.Name}", SitePolicy);
        studio.MapMethods("/studio/{**path}", GetAndHead, (HttpContext context, StudioPackage package, string path) => SendPackageFile(context, package, path));
        routes.MapSessions();
        return routes;
    }

    private static Task ShowViewAsync(HttpContext context, StudioPackage package, Dictionary<string, SiteFile> site)
    {
        if (!package.IsInstalled)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return site["missing.html"].SendAsync(context, SitePolicy);
        }

        if (context.User.HasScope(Scopes.WorkflowsRead))
            return site["shell.html"].SendAsync(context, StudioPolicy);
        // Not cacheable: after signing in, the same address serves the view.
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Redirect("/studio/sign-in?return=" + Uri.EscapeDataString(context.Request.Path + context.Request.QueryString));
        return Task.CompletedTask;
    }

    private static IResult SendPackageFile(HttpContext context, StudioPackage package, string path)
    {
        if (package.Find(path) is not { } file)
            return Results.NotFound();
        var compressed = file.Compressed.FirstOrDefault(copy => SiteFile.Accepts(context.Request, copy.Coding));
        var headers = context.Response.Headers;
        // A web worker is bound by the policy sent with its own script.
        headers.ContentSecurityPolicy = StudioPolicy;
        headers.CacheControl = file.IsFingerprinted ? "public, max-age=31536000, immutable" : "no-cache";
        headers.Vary = HeaderNames.AcceptEncoding;
        if (compressed.Coding is { } coding)
            headers.ContentEncoding = coding;
        // A given version of the package never changes, and its file times mean nothing.
        var tag = new EntityTagHeaderValue($"\"{package.Version}{(compressed.Coding is null ? "" : "-" + compressed.Coding)}\"");
        return Results.Stream(File.OpenRead(compressed.Path ?? file.Path), file.ContentType, entityTag: tag);
    }
}
