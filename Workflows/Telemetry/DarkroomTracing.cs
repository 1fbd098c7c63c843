using System.Diagnostics;
using Darkroom.Data;

namespace Darkroom.Telemetry;

/// <summary>Where an image's spans go.</summary>
public enum ImageTracing
{
    /// <summary>Into the trace of its request.</summary>
    InRequest,

    /// <summary>Into a trace of its own, linked to the request's.</summary>
    Alone,

    /// <summary>Not recorded.</summary>
    None,
}

/// <summary>
/// The product's spans. A request's trace starts with the upload's HTTP span. Instances and deliveries store its <c>traceparent</c>, so
/// the process that claims them continues the same trace. Work without a <c>traceparent</c> does not start a trace.
/// </summary>
public static class DarkroomTracing
{
    /// <summary>The name of the activity source.</summary>
    public const string SourceName = "Darkroom";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>The <c>traceparent</c> to store with work for other processes; null if there is no current activity.</summary>
    public static string? CurrentTraceParent => Activity.Current is { IdFormat: ActivityIdFormat.W3C } current ? current.Id : null;

    /// <summary>Starts the span of a claimed instance, up to its next wait.</summary>
    public static Activity? StartRun(string? traceParent, Guid instance, RequestId request, int run)
    {
        if (Start("workflow run", ActivityKind.Consumer, traceParent) is not { } activity)
            return null;
        return activity
            .SetTag("darkroom.instance.id", instance.ToString())
            .SetTag("darkroom.request.id", request.ToString())
            .SetTag("darkroom.request.run", run);
    }

    /// <summary>Starts the span of one step of an instance, named after its activity.</summary>
    public static Activity? StartStep(string activityType) => StartChild(activityType);

    /// <summary>Starts the span of one image's run through the body, in the trace that <see cref="Decide"/> chooses.</summary>
    /// <param name="traceParent">The <c>traceparent</c> of the image's workflow instance.</param>
    /// <param name="request">The image's request.</param>
    /// <param name="images">The request's number of images.</param>
    /// <param name="image">The image.</param>
    /// <param name="options">How many images are traced.</param>
    public static Activity? StartImage(string? traceParent, RequestId request, int images, ImageId image, TracingOptions options)
    {
        const string name = "image";
        if (!Source.HasListeners() || Parse(traceParent) is not { } parent)
            return null;
        var activity = Decide(images, image, options) switch
        {
            ImageTracing.InRequest => Source.StartActivity(name, ActivityKind.Consumer, parent),
            ImageTracing.Alone when parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded) => StartAlone(name, parent),
            // Neither this span nor its children are recorded, but log records still carry the request's trace id.
            _ => new Activity(name).SetParentId(parent.TraceId, parent.SpanId, ActivityTraceFlags.None).Start(),
        };
        if (activity is not { IsAllDataRequested: true })
            return activity;
        return activity
            .SetTag("darkroom.request.id", request.ToString())
            .SetTag("darkroom.image.id", image.Value);
    }

    /// <summary>Starts a child of the current span; null if there is none.</summary>
    public static Activity? StartChild(string name) => Activity.Current is null ? null : Source.StartActivity(name);

    /// <summary>Starts the span of one webhook attempt.</summary>
    public static Activity? StartAttempt(string? traceParent, RequestId request, string delivery)
    {
        if (Start("webhook attempt", ActivityKind.Client, traceParent) is not { } activity)
            return null;
        return activity
            .SetTag("darkroom.request.id", request.ToString())
            .SetTag("darkroom.delivery.id", delivery);
    }

    /// <summary>Marks a span as failed.</summary>
    public static void Fail(this Activity? activity, string code) =>
        activity?.SetStatus(ActivityStatusCode.Error, code).SetTag("error.type", code);

    /// <summary>Small requests are traced completely. For large ones, a sample of the images is, each in a trace of its own.</summary>
    internal static ImageTracing Decide(int images, ImageId image, TracingOptions options)
    {
        if (images <= options.ImagesPerTrace)
            return ImageTracing.InRequest;
        return image.Value % options.ImageInterval == 0 ? ImageTracing.Alone : ImageTracing.None;
    }

    private static Activity? Start(string name, ActivityKind kind, string? traceParent) =>
        Source.HasListeners() && Parse(traceParent) is { } parent ? Source.StartActivity(name, kind, parent) : null;

    private static Activity? StartAlone(string name, ActivityContext request)
    {
        // Without a parent it would become the current activity's child.
        Activity.Current = null;
        return Source.StartActivity(name, ActivityKind.Consumer, default(ActivityContext), links: [new ActivityLink(request)]);
    }

    private static ActivityContext? Parse(string? traceParent) =>
        ActivityContext.TryParse(traceParent, null, isRemote: true, out var parent) ? parent : null;
}
