using System.Globalization;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Darkroom.Api.Reference;

/// <summary>Describes the rate limit for every operation that needs a key: the 429, and the headers of all responses.</summary>
internal static class RateLimitResponses
{
    private const string Problem = "application/problem+json";

    private static readonly (string Name, string Description)[] Headers =
    [
        ("RateLimit-Policy", "The rate limit of the key: q calls at once, and as many again within w seconds."),
        ("RateLimit", "Calls of the key that are left (r), and seconds until there is one more (t)."),
    ];

    public static Task AddAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        if (!context.Description.ActionDescriptor.EndpointMetadata.OfType<IAuthorizeData>().Any())
            return Task.CompletedTask;
        operation.Responses ??= [];
        var status = StatusCodes.Status429TooManyRequests.ToString(CultureInfo.InvariantCulture);
        if (!operation.Responses.ContainsKey(status))
            operation.Responses[status] = new OpenApiResponse
            {
                Description = "Too Many Requests: rate_limit_exceeded. Retry-After says when to call again.",
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    [Problem] = new OpenApiMediaType { Schema = new OpenApiSchemaReference("ProblemDetails", context.Document) },
                },
            };
        foreach (var response in operation.Responses.Where(response => response.Key != "401").Select(response => response.Value).OfType<OpenApiResponse>())
            foreach (var (name, description) in Headers)
            {
                response.Headers ??= new Dictionary<string, IOpenApiHeader>();
                response.Headers[name] = new OpenApiHeader { Description = description, Schema = new OpenApiSchema { Type = JsonSchemaType.String } };
            }

        return Task.CompletedTask;
    }
}
