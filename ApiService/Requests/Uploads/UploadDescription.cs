using Microsoft.OpenApi;

namespace Darkroom.Api.Requests.Uploads;

/// <summary>Describes the upload in the OpenAPI document, by hand, because its body is parsed by hand.</summary>
internal static class UploadDescription
{
    public static RouteHandlerBuilder DescribeUpload(this RouteHandlerBuilder upload) => upload
        .WithSummary("Upload a CSV")
        .WithDescription(
            """
            A table with the columns S. No., Product Name and Input Image Urls, as UTF-8 or UTF-16, separated by commas, semicolons or tabs.
            The whole file is validated before it is accepted. If it is invalid, the response is 422 with the line and column of each error,
            and nothing is stored. If it is valid, the response is 202; poll the Location for its status.

            Send an Idempotency-Key to retry an upload safely: the same key with the same upload returns the original response.
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
            operation.Parameters.Add(Parameter(ParameterLocation.Header, IdempotencyKeyHeader.Name, "1 to 255 printable ASCII characters that identify this upload."));
            operation.Parameters.Add(Parameter(ParameterLocation.Query, "webhook_url", "With a text/csv body: the URL to notify when the run ends."));
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
                        ["webhook_url"] = Text("The https URL to notify when the run ends. Also accepted as callback_url.", "uri"),
                        ["workflow"] = Text("The id of the workflow to run. Defaults to the default workflow."),
                    },
                },
            },
            ["text/csv"] = new() { Schema = Text("The CSV.", "binary") },
        },
    };

    private static OpenApiSchema Text(string description, string? format = null) =>
        new() { Type = JsonSchemaType.String, Format = format, Description = description };
}
