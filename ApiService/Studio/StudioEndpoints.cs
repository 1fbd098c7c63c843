using Darkroom.Access;
using Darkroom.Api.Access;
using Darkroom.Api.Pages;
using Darkroom.Api.Studio.Sessions;
using Darkroom.Configuration;
using Microsoft.Net.Http.Headers;

namespace Darkroom.Api.Studio;

/// <summary><c>/studio</c>: Elsa Studio as its makers packed it, inside a page of ours that signs in, names the views and leads between them.</summary>
public static class StudioEndpoints
{
    private const string Home = "/studio/workflows/definitions";

    // The views that Studio itself goes to by these addresses.
    private static readonly string[] Views =
    [
        Home,
        "/studio/workflows/definitions/{definitionId}/edit",
        "/studio/workflows/instances",
        "/studio/workflows/instances/{instanceId}/view",
    ];

    private static readonly string[] GetAndHead = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>Inline styles are Studio's way, and its code is WebAssembly; all of it comes from here, and so does everything it asks for.</summary>
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

    private static readonly string OwnPolicy = string.Join("; ",
        "default-src 'self'", "object-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
        "require-trusted-types-for 'script'", "trusted-types 'none'");

    /// <summary>Studio's package and its sessions. After <c>AddAccess</c>.</summary>
    public static IServiceCollection AddStudio(this IServiceCollection services)
    {
        services.AddSettings<StudioOptions>(StudioOptions.Section);
        services.AddSingleton<StudioPackage>();
        return services.AddStudioSessions();
    }

    public static IEndpointRouteBuilder MapStudio(this IEndpointRouteBuilder routes)
    {
        var own = SiteFile.ReadAll("Studio").ToDictionary(file => file.Name);
        var studio = routes.MapGroup("").AllowAnonymous().ExcludeFromDescription();
        studio.MapMethods("/studio", GetAndHead, () => Results.Redirect(Home));
        foreach (var view in Views)
            studio.MapMethods(view, GetAndHead, (HttpContext context, StudioPackage package) => ShowAsync(context, package, own));
        own["sign-in.html"].Map(studio, "/studio/sign-in", OwnPolicy);
        foreach (var file in own.Values.Where(file => !file.Name.EndsWith(".html", StringComparison.Ordinal)))
            file.Map(studio, $"/studio/site/{file.Name}", OwnPolicy);
        studio.MapMethods("/studio/{**path}", GetAndHead, (HttpContext context, StudioPackage package, string path) => SendAsync(context, package, path));
        routes.MapSessions();
        return routes;
    }

    private static Task ShowAsync(HttpContext context, StudioPackage package, Dictionary<string, SiteFile> own)
    {
        if (!package.IsInstalled)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return own["missing.html"].SendAsync(context, OwnPolicy);
        }

        if (context.User.HasScope(Scopes.WorkflowsRead)) return own["shell.html"].SendAsync(context, StudioPolicy);
        // Not to be remembered: after the sign-in the same address is the view.
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Redirect("/studio/sign-in?return=" + Uri.EscapeDataString(context.Request.Path + context.Request.QueryString));
        return Task.CompletedTask;
    }

    private static IResult SendAsync(HttpContext context, StudioPackage package, string path)
    {
        if (package.Find(path) is not { } file) return Results.NotFound();
        var packed = file.Packed.FirstOrDefault(packed => SiteFile.Accepts(context.Request, packed.Coding));
        var headers = context.Response.Headers;
        // A worker obeys the policy of its own script.
        headers.ContentSecurityPolicy = StudioPolicy;
        headers.CacheControl = file.IsFingerprinted ? "public, max-age=31536000, immutable" : "no-cache";
        headers.Vary = HeaderNames.AcceptEncoding;
        if (packed.Coding is { } coding) headers.ContentEncoding = coding;
        // A version of the package never changes, and its files carry no times worth telling.
        var tag = new EntityTagHeaderValue($"\"{package.Version}{(packed.Coding is null ? "" : "-" + packed.Coding)}\"");
        return Results.Stream(File.OpenRead(packed.Path ?? file.Path), file.ContentType, entityTag: tag);
    }
}
