using System.Xml.Linq;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Darkroom.AppHost.Storage;

/// <summary>Handles requests: authenticates them, routes them to an operation, and turns exceptions into S3 error responses.</summary>
internal sealed partial class S3Service(BucketFolders buckets, SignatureV4 signatures, S3EndpointOptions options, ILogger<S3Service> logger)
{
    // A sub-resource parameter changes the operation, so an unknown parameter must be rejected rather than ignored.
    private static readonly HashSet<string> KnownParameters = new(StringComparer.OrdinalIgnoreCase)
    {
        "location", "list-type", "prefix", "delimiter", "max-keys", "continuation-token", "start-after", "encoding-type", "fetch-owner",
        "uploads", "uploadId", "partNumber", "key-marker", "upload-id-marker", "max-uploads", "part-number-marker", "max-parts", "delete",
        "response-content-type", "response-content-disposition", "response-cache-control", "response-content-language",
        "response-expires", "response-content-encoding",
    };

    private readonly BucketOperations _buckets = new(buckets);
    private readonly ObjectOperations _objects = new(buckets, options.Time);
    private readonly MultipartOperations _multipart = new(buckets, options.Time);

    public async Task HandleAsync(HttpContext context)
    {
        context.Response.Headers["x-amz-request-id"] = context.TraceIdentifier;
        if (context.Request.Headers.Expect.Count > 0)
            context.Response.OnStarting(() => CloseIfUnsentAsync(context));
        try
        {
            if (options.Intercept is { } intercept)
            {
                await intercept(context);
                if (context.Response.HasStarted)
                    return;
            }

            var target = S3Target.Parse(context.Request);
            var signed = signatures.Verify(context.Request, target);
            await ServeAsync(new S3Exchange(context, target, signed));
        }
        catch (S3Error e)
        {
            await RespondErrorAsync(context, e);
        }
        catch (BadHttpRequestException e)
        {
            await RespondErrorAsync(context, new S3Error(e.StatusCode, "IncompleteBody", "The request body could not be read."));
        }
        catch (Exception e) when (context.RequestAborted.IsCancellationRequested)
        {
            LogClientDisconnected(context.Request.Method, e.GetType().Name);
        }
        catch (Exception e)
        {
            LogFailed(e, context.Request.Method);
            await RespondErrorAsync(context, new S3Error(500, "InternalError", "We encountered an internal error. Please try again."));
        }
    }

    private Task ServeAsync(S3Exchange exchange)
    {
        var target = exchange.Target;
        foreach (var (name, _) in target.Query)
        {
            if (!KnownParameters.Contains(name) && !name.StartsWith("x-", StringComparison.OrdinalIgnoreCase))
                throw S3Error.NotImplemented($"the parameter {name}");
        }

        if (target.Bucket.Length == 0)
            throw S3Error.NotImplemented("listing buckets");
        return target.Key.Length == 0 ? ServeBucketAsync(exchange, target) : ServeObjectAsync(exchange, target);
    }

    private Task ServeBucketAsync(S3Exchange exchange, S3Target target) => exchange.Request.Method switch
    {
        "GET" when target["location"] is not null => _buckets.GetLocationAsync(exchange, options.Region),
        "GET" when target["uploads"] is not null => _multipart.ListUploadsAsync(exchange),
        "GET" when target["list-type"] == "2" => _buckets.ListAsync(exchange),
        "GET" => throw S3Error.NotImplemented("version 1 of listing"),
        "HEAD" => _buckets.HeadAsync(exchange),
        "PUT" => _buckets.CreateAsync(exchange),
        "POST" when target["delete"] is not null => _buckets.DeleteObjectsAsync(exchange),
        _ => throw S3Error.MethodNotAllowed(),
    };

    private Task ServeObjectAsync(S3Exchange exchange, S3Target target) => (exchange.Request.Method, target["uploadId"]) switch
    {
        ("PUT", _) when exchange.Header("x-amz-copy-source") is not null => throw S3Error.NotImplemented("copying"),
        ("PUT", null) => _objects.PutAsync(exchange),
        ("PUT", { } upload) => _multipart.PutPartAsync(exchange, upload),
        ("GET" or "HEAD", null) => _objects.GetAsync(exchange),
        ("GET", { } upload) => _multipart.ListPartsAsync(exchange, upload),
        ("DELETE", null) => _objects.DeleteAsync(exchange),
        ("DELETE", { } upload) => _multipart.AbortAsync(exchange, upload),
        ("POST", null) when target["uploads"] is not null => _multipart.CreateAsync(exchange),
        ("POST", { } upload) => _multipart.CompleteAsync(exchange, upload),
        _ => throw S3Error.MethodNotAllowed(),
    };

    /// <summary>
    /// A client that still waits to be asked for its body (<c>Expect: 100-continue</c>) may leave it out or send it, so that on an open
    /// connection its bytes and the next request could not be told apart.
    /// </summary>
    private static Task CloseIfUnsentAsync(HttpContext context)
    {
        // Read-only once reading has begun, which is when the server asks for the body.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false })
            context.Response.Headers.Connection = "close";
        return Task.CompletedTask;
    }

    private async Task RespondErrorAsync(HttpContext context, S3Error error)
    {
        LogRejected(context.Request.Method, error.Status, error.Code);
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        if (HttpMethods.IsHead(context.Request.Method) || error.Status == 304)
        {
            context.Response.StatusCode = error.Status;
            return;
        }

        await S3Exchange.RespondXmlAsync(context.Response, error.Status, new XElement(
            "Error",
            new XElement("Code", error.Code),
            new XElement("Message", error.Message),
            new XElement("RequestId", context.TraceIdentifier)));
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Method} rejected: {Status} {Code}")]
    private partial void LogRejected(string method, int status, string code);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The client disconnected during a {Method} request ({Error})")]
    private partial void LogClientDisconnected(string method, string error);

    [LoggerMessage(Level = LogLevel.Error, Message = "A {Method} request failed")]
    private partial void LogFailed(Exception exception, string method);
}
