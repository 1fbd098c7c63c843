using Microsoft.AspNetCore.Http.Features;

namespace Darkroom.Api.Server;

/// <summary>
/// Closes the connection after a response to a client that still waits to be asked for its body (<c>Expect: 100-continue</c>). Some
/// clients then leave the body out and some send it, so on an open connection its bytes and the next request could not be told apart.
/// </summary>
internal static class UnsentBodies
{
    /// <summary>Call it before everything that may respond.</summary>
    public static WebApplication UseCloseAfterUnsentBodies(this WebApplication app)
    {
        app.Use((context, next) =>
        {
            if (HttpProtocol.IsHttp11(context.Request.Protocol) && context.Request.Headers.Expect.Count > 0)
                context.Response.OnStarting(() => CloseIfUnsentAsync(context));
            return next(context);
        });
        return app;
    }

    private static Task CloseIfUnsentAsync(HttpContext context)
    {
        // Read-only once reading has begun, which is when the server asks for the body.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false })
            context.Response.Headers.Connection = "close";
        return Task.CompletedTask;
    }
}
