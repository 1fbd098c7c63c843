using Darkroom.Access;
using Darkroom.Api.Problems;
using Darkroom.Api.Requests.Uploads;
using Darkroom.Api.Server;
using Darkroom.Configuration;
using Darkroom.Csv;
using Darkroom.Requests;
using Darkroom.Uploads;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.Options;

namespace Darkroom.Api.Requests;

/// <summary>The request API: uploading a CSV, following its progress, downloading the results.</summary>
public static class RequestEndpoints
{
    private static readonly string[] Head = [HttpMethods.Head];

    public static IServiceCollection AddRequests(this IServiceCollection services)
    {
        services.AddSettings<RequestsOptions>(RequestsOptions.Section);
        services.AddSettings<UploadOptions>(UploadOptions.Section);
        services.AddOptions<RequestTimeoutOptions>().Configure<IOptions<RequestsOptions>>((timeouts, requests) =>
            timeouts.AddPolicy(ApiServer.QueryTimeout, new RequestTimeoutPolicy
            {
                Timeout = requests.Value.QueryTimeout,
                TimeoutStatusCode = StatusCodes.Status503ServiceUnavailable,
                WriteTimeoutResponse = context => CommonProblems.TimedOut.ExecuteAsync(context),
            }));
        services.AddRequestCsv();
        services.AddRequestStores();
        services.AddUploads();
        services.AddSingleton<ApiLinks>();
        services.AddSingleton<LifecycleChanges>();
        services.AddSingleton<UploadGate>();
        services.AddSingleton<UploadReceiver>();
        services.AddSingleton<UploadEndpoint>();
        return services;
    }

    public static IEndpointRouteBuilder MapRequests(this IEndpointRouteBuilder routes)
    {
        var requests = routes.MapGroup("/v1/requests").RequireAuthorization(Scopes.Requests).WithTags("Requests");
        requests.ProducesProblem(StatusCodes.Status401Unauthorized).ProducesProblem(StatusCodes.Status503ServiceUnavailable);

        requests.MapPost("", (HttpContext context, UploadEndpoint upload) => upload.PostAsync(context))
            .WithName("UploadCsv")
            .DescribeUpload();

        requests.MapGet("", StatusEndpoints.ListAsync)
            .WithName("ListRequests")
            .WithSummary("List your requests")
            .WithDescription("Newest first. Follow next_cursor, or the Link header, until there is none.")
            .Produces<RequestPageView>()
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .WithRequestTimeout(ApiServer.QueryTimeout);

        requests.MapGet("/{id}", StatusEndpoints.GetAsync)
            .WithName("GetRequest")
            .WithSummary("Get a request's status")
            .WithDescription("Send the ETag as If-None-Match to get a 304 while nothing has changed; Retry-After says when to poll again.")
            .Produces<RequestView>()
            .Produces(StatusCodes.Status304NotModified)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .WithRequestTimeout(ApiServer.QueryTimeout);

        requests.MapGet("/{id}/images", ImagesEndpoint.ListAsync)
            .WithName("ListImages")
            .WithSummary("List a request's images")
            .WithDescription("In CSV order. Filter by state: pending, succeeded, failed or cancelled. Follow next_cursor, or the Link header, until there is none.")
            .Produces<ImagePageView>()
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .WithRequestTimeout(ApiServer.QueryTimeout);

        requests.MapGet("/{id}/input.csv", FileEndpoints.GetInputAsync)
            .WithName("GetInputCsv")
            .WithSummary("Download the uploaded CSV")
            .WithDescription("Byte for byte. Supports HEAD and a single Range, with the ETag as If-Range.")
            .Produces(StatusCodes.Status200OK, contentType: "text/csv")
            .Produces(StatusCodes.Status206PartialContent, contentType: "text/csv")
            .Produces(StatusCodes.Status304NotModified)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status412PreconditionFailed)
            .ProducesProblem(StatusCodes.Status416RangeNotSatisfiable);

        requests.MapGet("/{id}/output.csv", FileEndpoints.GetOutputAsync)
            .WithName("GetOutputCsv")
            .WithSummary("Download the output CSV")
            .WithDescription(
                "The input, record for record, with the columns Output Image Urls (one slot for each input URL, empty where the image failed) and Errors. " +
                "During a retry, the output of the previous run is served. Supports HEAD and a single Range, with the ETag as If-Range.")
            .Produces(StatusCodes.Status200OK, contentType: "text/csv")
            .Produces(StatusCodes.Status206PartialContent, contentType: "text/csv")
            .Produces(StatusCodes.Status304NotModified)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status412PreconditionFailed)
            .ProducesProblem(StatusCodes.Status416RangeNotSatisfiable);

        // Described together with their GETs.
        requests.MapMethods("/{id}/input.csv", Head, FileEndpoints.GetInputAsync).ExcludeFromDescription();
        requests.MapMethods("/{id}/output.csv", Head, FileEndpoints.GetOutputAsync).ExcludeFromDescription();

        requests.MapPost("/{id}/cancel", LifecycleEndpoints.CancelAsync)
            .WithName("CancelRequest")
            .WithSummary("Cancel a request")
            .WithDescription(
                "Finished images are kept and no more are started. Cancelling again returns the same result. " +
                "202 means that the cancellation is still running: poll the request, or call again.")
            .Produces<RequestView>()
            .Produces<RequestView>(StatusCodes.Status202Accepted)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict);

        requests.MapPost("/{id}/retry", LifecycleEndpoints.RetryAsync)
            .WithName("RetryRequest")
            .WithSummary("Retry a request's failed images")
            .WithDescription(
                "Only after completed_with_errors. Starts the next run with the same workflow version; images that succeeded are kept. " +
                "202 means that the retry is still being started: poll the request until its run goes up.")
            .Produces<RequestView>()
            .Produces<RequestView>(StatusCodes.Status202Accepted)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict);

        routes.MapWorkflows();
        return routes;
    }
}
