using Microsoft.AspNetCore.Diagnostics;

namespace Darkroom.Api.Problems;

/// <summary>Makes every response of 400 or above a problem document, whether it comes from an endpoint, the framework or an exception.</summary>
public static class ProblemsExtensions
{
    public static IServiceCollection AddProblems(this IServiceCollection services) =>
        services.AddExceptionHandler<ProblemExceptionHandler>();

    public static WebApplication UseProblems(this WebApplication app)
    {
        // ProblemExceptionHandler does the logging; the middleware would log every exception as an error.
        app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            ExceptionHandler = context => CommonProblems.Internal.ExecuteAsync(context),
            SuppressDiagnosticsCallback = _ => true,
        });
        app.UseStatusCodePages(pages => CommonProblems.ForStatus(pages.HttpContext.Response.StatusCode).ExecuteAsync(pages.HttpContext));
        return app;
    }
}
