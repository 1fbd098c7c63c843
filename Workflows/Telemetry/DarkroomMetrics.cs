using System.Diagnostics.Metrics;

namespace Darkroom.Telemetry;

/// <summary>
/// The product's metrics. Label values come from bounded sets: never pass an owner, a URL, an id or any user-supplied text.
/// </summary>
public sealed class DarkroomMetrics
{
    /// <summary>The name of the meter.</summary>
    public const string MeterName = "Darkroom";

    private const string Outcome = "darkroom.outcome";
    private const string Format = "darkroom.image.format";
    private const string ActivityType = "darkroom.activity.type";
    private const string Claim = "darkroom.claim.kind";
    private const string ErrorType = "error.type";

    // The default bucket boundaries are meant for milliseconds.
    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    };

    private readonly Counter<long> _requestsAccepted;
    private readonly Counter<long> _requestsFinished;
    private readonly Counter<long> _imagesFinished;
    private readonly Counter<long> _imagesRetried;
    private readonly Counter<long> _imagesPoisoned;
    private readonly Counter<long> _bytesIn;
    private readonly Counter<long> _bytesOut;
    private readonly Counter<long> _bytesSaved;
    private readonly Gauge<long> _queueDepth;
    private readonly Gauge<double> _queueAge;
    private readonly Histogram<double> _claimLatency;
    private readonly Histogram<double> _codecDuration;
    private readonly Counter<long> _claimsRecovered;
    private readonly Counter<long> _webhookAttempts;
    private readonly Histogram<double> _stepDuration;

    /// <param name="meters">Creates and owns the meter.</param>
    public DarkroomMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _requestsAccepted = meter.CreateCounter<long>(
            "darkroom.requests.accepted", "{request}", "Uploads that became requests.");
        _requestsFinished = meter.CreateCounter<long>(
            "darkroom.requests.finished", "{request}", "Runs of requests that ended, by outcome. A retry is another run.");
        _imagesFinished = meter.CreateCounter<long>(
            "darkroom.images.finished", "{image}", "Images with a recorded outcome, by outcome, source format and failure code.");
        _imagesRetried = meter.CreateCounter<long>(
            "darkroom.images.retried", "{retry}", "Attempts that failed for now and are repeated, by failure code.");
        _imagesPoisoned = meter.CreateCounter<long>(
            "darkroom.images.poisoned", "{image}", "Images that failed because they crash the decoder.");
        _bytesIn = meter.CreateCounter<long>(
            "darkroom.images.bytes.in", "By", "Downloaded bytes of the images that succeeded.");
        _bytesOut = meter.CreateCounter<long>(
            "darkroom.images.bytes.out", "By", "Stored result bytes of the images that succeeded.");
        _bytesSaved = meter.CreateCounter<long>(
            "darkroom.images.bytes.saved", "By", "Bytes by which results are smaller than their downloads; a larger result saves nothing.");
        _queueDepth = meter.CreateGauge<long>(
            "darkroom.queue.depth", "{image}", "Images of all open fan-outs that no worker has claimed. Every worker reports the whole queue: take the maximum, not the sum.");
        _queueAge = meter.CreateGauge<double>(
            "darkroom.queue.age", "s", "Time since the oldest unclaimed image was last offered. Every worker reports the whole queue: take the maximum, not the sum.");
        _claimLatency = meter.CreateHistogram(
            "darkroom.queue.claim.latency", "s", "Time from an image's latest offer to its claim.", advice: Seconds);
        _codecDuration = meter.CreateHistogram(
            "darkroom.codec.duration", "s", "Time from asking for a codec slot to the result, by source format and outcome.", advice: Seconds);
        _claimsRecovered = meter.CreateCounter<long>(
            "darkroom.claims.recovered", "{claim}", "Claims taken over from processes that died or lost them, by what was claimed.");
        _webhookAttempts = meter.CreateCounter<long>(
            "darkroom.webhooks.attempts", "{attempt}", "Webhook attempts, by what follows: delivered, retried, failed or disabled.");
        _stepDuration = meter.CreateHistogram(
            "darkroom.workflow.step.duration", "s", "Time of a workflow step up to its commit, by activity type and outcome.", advice: Seconds);
    }

    /// <summary>True if the queue metrics are being collected; sampling them costs a query.</summary>
    public bool SamplesQueue => _queueDepth.Enabled || _queueAge.Enabled;

    /// <summary>An upload became a request.</summary>
    public void RequestAccepted() => _requestsAccepted.Add(1);

    /// <summary>A request's run ended, and the end is committed.</summary>
    /// <param name="outcome">The request's terminal status.</param>
    public void RequestFinished(string outcome) => _requestsFinished.Add(1, Tag(Outcome, outcome));

    /// <summary>An image's success is recorded.</summary>
    /// <param name="format">Format of the downloaded image, or null if unknown.</param>
    /// <param name="bytesIn">Downloaded bytes.</param>
    /// <param name="bytesOut">Stored bytes.</param>
    public void ImageSucceeded(string? format, long bytesIn, long bytesOut)
    {
        _imagesFinished.Add(1, Tag(Outcome, "succeeded"), Tag(Format, format ?? "unknown"));
        _bytesIn.Add(bytesIn);
        _bytesOut.Add(bytesOut);
        _bytesSaved.Add(Math.Max(0, bytesIn - bytesOut));
    }

    /// <summary>An image's failure is recorded.</summary>
    /// <param name="format">Format of the downloaded image, or null if there was none.</param>
    /// <param name="code">A code of a bounded set.</param>
    public void ImageFailed(string? format, string code) =>
        _imagesFinished.Add(1, Tag(Outcome, "failed"), Tag(Format, format ?? "unknown"), Tag(ErrorType, code));

    /// <summary>An image will be retried.</summary>
    /// <param name="code">A code of a bounded set.</param>
    public void ImageRetried(string code) => _imagesRetried.Add(1, Tag(ErrorType, code));

    /// <summary>An image failed because it kept crashing its process.</summary>
    public void ImagePoisoned() => _imagesPoisoned.Add(1);

    /// <summary>An offered image was claimed.</summary>
    public void ImageClaimed(TimeSpan latency) => _claimLatency.Record(latency.TotalSeconds);

    /// <summary>The queue was sampled.</summary>
    /// <param name="depth">Number of unclaimed images.</param>
    /// <param name="age">Time since the oldest unclaimed offer.</param>
    public void QueueSampled(long depth, TimeSpan age)
    {
        _queueDepth.Record(depth);
        _queueAge.Record(age.TotalSeconds);
    }

    /// <summary>The codec finished an image, successfully or not.</summary>
    /// <param name="elapsed">Time from asking for a codec slot.</param>
    /// <param name="format">Format of the downloaded image.</param>
    /// <param name="outcome">encoded, rewritten (only the metadata was dropped, because encoding made it larger), encoded_larger or failed.</param>
    public void CodecFinished(TimeSpan elapsed, string format, string outcome) =>
        _codecDuration.Record(elapsed.TotalSeconds, Tag(Format, format), Tag(Outcome, outcome));

    /// <summary>Claims of a process that died or lost track of them were freed.</summary>
    public void ClaimsRecovered(ClaimKind kind, int count)
    {
        if (count > 0)
            _claimsRecovered.Add(count, Tag(Claim, kind switch
            {
                ClaimKind.Image => "image",
                ClaimKind.Instance => "instance",
                ClaimKind.Webhook => "webhook",
                _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
            }));
    }

    /// <summary>A webhook attempt was recorded.</summary>
    /// <param name="result">delivered, retried, failed or disabled.</param>
    public void WebhookAttempted(string result) => _webhookAttempts.Add(1, Tag(Outcome, result));

    /// <summary>A workflow step was committed.</summary>
    /// <param name="elapsed">Time from its start to the commit.</param>
    /// <param name="activityType">One of this build's activity types.</param>
    /// <param name="outcome">completed, suspended, faulted or retried.</param>
    public void StepFinished(TimeSpan elapsed, string activityType, string outcome) =>
        _stepDuration.Record(Math.Max(0, elapsed.TotalSeconds), Tag(ActivityType, activityType), Tag(Outcome, outcome));

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}

/// <summary>What a process claims under its lease.</summary>
public enum ClaimKind
{
    /// <summary>An image.</summary>
    Image,

    /// <summary>A workflow instance.</summary>
    Instance,

    /// <summary>A webhook delivery.</summary>
    Webhook,
}
