using Darkroom.Data;
using Microsoft.Extensions.Logging;

namespace Darkroom.Telemetry;

/// <summary>Log scopes that add the ids of the current work to every log record.</summary>
public static class LogScopes
{
#pragma warning disable CA1727 // OpenTelemetry attribute names, the same as on spans; ASP.NET Core already uses RequestId.
    private static readonly Func<ILogger, RequestId, IDisposable?> Request =
        LoggerMessage.DefineScope<RequestId>("request {darkroom.request.id}");

    private static readonly Func<ILogger, RequestId, Guid, IDisposable?> Instance =
        LoggerMessage.DefineScope<RequestId, Guid>("request {darkroom.request.id}, instance {darkroom.instance.id}");

    private static readonly Func<ILogger, RequestId, ImageId, IDisposable?> Image =
        LoggerMessage.DefineScope<RequestId, ImageId>("request {darkroom.request.id}, image {darkroom.image.id}");

    private static readonly Func<ILogger, RequestId, string, IDisposable?> Delivery =
        LoggerMessage.DefineScope<RequestId, string>("request {darkroom.request.id}, delivery {darkroom.delivery.id}");
#pragma warning restore CA1727

    /// <summary>Work on a request.</summary>
    public static IDisposable? BeginRequest(this ILogger logger, RequestId request) => Request(logger, request);

    /// <summary>Work on a workflow instance.</summary>
    public static IDisposable? BeginInstance(this ILogger logger, RequestId request, Guid instance) => Instance(logger, request, instance);

    /// <summary>Work on an image.</summary>
    public static IDisposable? BeginImage(this ILogger logger, RequestId request, ImageId image) => Image(logger, request, image);

    /// <summary>Work on a webhook delivery.</summary>
    public static IDisposable? BeginDelivery(this ILogger logger, RequestId request, string delivery) => Delivery(logger, request, delivery);
}
