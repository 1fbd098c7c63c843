using Darkroom.Api.Access;
using Microsoft.OpenApi;
using Scalar.AspNetCore;

namespace Darkroom.Api.Reference;

/// <summary>The OpenAPI document at <c>/openapi/v1.json</c> and the API reference at <c>/scalar</c>.</summary>
internal static class ReferenceExtensions
{
    // Scalar needs inline scripts, inline styles and eval. The rest of the policy keeps it to this origin.
    private const string PagePolicy =
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
        "object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

    public static IServiceCollection AddReference(this IServiceCollection services)
    {
        // The OpenAPI generator takes property names from these options; the API's JSON follows the same rule.
        services.ConfigureHttpJsonOptions(json =>
            json.SerializerOptions.PropertyNamingPolicy = System.Text.Json.JsonNamingPolicy.SnakeCaseLower);
        services.AddOpenApi("v1", options => options.AddOperationTransformer(RateLimitResponses.AddAsync).AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "Darkroom",
                Version = "v1",
                Description =
                    "Bulk image pipeline: a CSV of product image URLs in, the same CSV with compressed images out. " +
                    "Every error is application/problem+json with a stable code and a traceId. " +
                    "Each key has a rate limit: the headers RateLimit-Policy and RateLimit say how many calls are left, and a 429 has a Retry-After.",
            };
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
            {
                [ApiKeyDefaults.Scheme] = new OpenApiSecurityScheme
                {
                    Type = SecuritySchemeType.Http,
                    Scheme = "bearer",
                    Description = "An API key: Authorization: Bearer dk_...",
                },
            };
            document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(ApiKeyDefaults.Scheme, document)] = [] }];
            return Task.CompletedTask;
        }));
        return services;
    }

    public static IEndpointRouteBuilder MapReference(this IEndpointRouteBuilder routes)
    {
        routes.MapOpenApi().AllowAnonymous();
        routes.MapScalarApiReference(options =>
            {
                options.Title = "Darkroom API";
                options.DefaultFonts = false;
            })
            .AllowAnonymous()
            .AddEndpointFilter((context, next) =>
            {
                context.HttpContext.Response.Headers.ContentSecurityPolicy = PagePolicy;
                return next(context);
            });
        return routes;
    }
}
