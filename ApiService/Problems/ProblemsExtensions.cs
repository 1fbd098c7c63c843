using Microsoft.AspNetCore.Diagnostics;

namespace Darkroom.Api.Problems;

/// <summary>Every answer of 400 or more is a problem document, whoever decided it: an endpoint, the framework, or an exception.</summary>
public static class ProblemsExtensions
{
    public static IServiceCollection AddProblems(this IServiceCollection services) =>
        services.AddExceptionHandler<ProblemExceptionHandler>();

    public static WebApplication UseProblems(this WebApplication app)
    {
        // The handler logs what deserves it; the middleware's own log would repeat each refusal as an error.
        app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            ExceptionHandler = context => CommonProblems.Internal.ExecuteAsync(context),
            SuppressDiagnosticsCallback = _ => true,
        });
        app.UseStatusCodePages(pages => CommonProblems.ForStatus(pages.HttpContext.Response.StatusCode).ExecuteAsync(pages.HttpContext));
        return app;
    }
}
