using Microsoft.AspNetCore.Authorization;
using Microsoft.Net.Http.Headers;

namespace Darkroom.Api.Server;

/// <summary>Keeps every response of an endpoint that needs authorization, errors included, out of shared caches.</summary>
internal static class PrivateResponses
{
    /// <summary>Call it after <c>UseRouting</c> and before <c>UseAuthentication</c>, which may already respond.</summary>
    public static WebApplication UsePrivateResponses(this WebApplication app)
    {
        app.Use((context, next) =>
        {
            // When the response starts: the handler of an exception clears the headers that were set before.
            if (IsPrivate(context.GetEndpoint()))
                context.Response.OnStarting(() => SetHeadersAsync(context));
            return next(context);
        });
        return app;
    }

    private static bool IsPrivate(Endpoint? endpoint) =>
        endpoint?.Metadata.GetMetadata<IAuthorizeData>() is not null && endpoint.Metadata.GetMetadata<IAllowAnonymous>() is null;

    private static Task SetHeadersAsync(HttpContext context)
    {
        var (method, headers) = (context.Request.Method, context.Response.Headers);
        var isRevalidated = (HttpMethods.IsGet(method) || HttpMethods.IsHead(method)) && headers.ETag.Count > 0;
        headers.CacheControl = isRevalidated ? "private, no-cache" : "no-store";
        headers.Append(HeaderNames.Vary, HeaderNames.Authorization);
        return Task.CompletedTask;
    }
}
