using Microsoft.OpenApi;

namespace Darkroom.Api.Requests.Uploads;

/// <summary>The upload in the OpenAPI document. Its body is read by hand, so it is described by hand.</summary>
internal static class UploadDescription
{
    public static RouteHandlerBuilder DescribeUpload(this RouteHandlerBuilder upload) => upload
        .WithSummary("Upload a CSV")
        .WithDescription(
            """
            A table with the columns S. No., Product Name and Input Image Urls, as UTF-8 or UTF-16, separated by commas, semicolons or tabs.
            The whole file is judged before anything of it is accepted: a bad one is answered 422 with every error's line and column, and
            leaves nothing behind. A good one is answered 202; its status is then found at the Location.

            Send an Idempotency-Key to repeat an upload safely: the same key with the same upload is answered as the first time.
            """)
        .Produces<RequestView>(StatusCodes.Status202Accepted)
        .ProducesProblem(StatusCodes.Status400BadRequest)
        .ProducesProblem(StatusCodes.Status409Conflict)
        .ProducesProblem(StatusCodes.Status413PayloadTooLarge)
        .ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
        .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
        .ProducesProblem(StatusCodes.Status429TooManyRequests)
        .AddOpenApiOperationTransformer((operation, _, _) =>
        {
            operation.Parameters ??= [];
            operation.Parameters.Add(Parameter(ParameterLocation.Header, IdempotencyKeyHeader.Name, "1 to 255 printable ASCII characters that name this upload."));
            operation.Parameters.Add(Parameter(ParameterLocation.Query, "webhook_url", "With a text/csv body: where to report the end of the run."));
            operation.Parameters.Add(Parameter(ParameterLocation.Query, "workflow", "With a text/csv body: the id of the workflow to run."));
            operation.RequestBody = Body();
            return Task.CompletedTask;
        });

    private static OpenApiParameter Parameter(ParameterLocation place, string name, string description) => new()
    {
        In = place,
        Name = name,
        Description = description,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    };

    private static OpenApiRequestBody Body() => new()
    {
        Required = true,
        Content = new Dictionary<string, OpenApiMediaType>
        {
            ["multipart/form-data"] = new()
            {
                Schema = new OpenApiSchema
                {
                    Type = JsonSchemaType.Object,
                    Required = new HashSet<string> { "file" },
                    Properties = new Dictionary<string, IOpenApiSchema>
                    {
                        ["file"] = Text("The CSV.", "binary"),
                        ["webhook_url"] = Text("Where to report the end of the run; https. Also accepted as callback_url.", "uri"),
                        ["workflow"] = Text("The id of the workflow to run; the default one if absent."),
                    },
                },
            },
            ["text/csv"] = new() { Schema = Text("The CSV.", "binary") },
        },
    };

    private static OpenApiSchema Text(string description, string? format = null) =>
        new() { Type = JsonSchemaType.String, Format = format, Description = description };
}
