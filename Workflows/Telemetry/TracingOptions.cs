using System.ComponentModel.DataAnnotations;

namespace Darkroom.Telemetry;

/// <summary>How many images are traced. Section <c>Tracing</c>.</summary>
public sealed class TracingOptions
{
    /// <summary>Images up to which all of a request's images are in its trace; default 100. Trace viewers become unusable at some thousand spans, and an image has about five.</summary>
    [Range(0, 10_000)]
    public int ImagesPerTrace { get; set; } = 100;

    /// <summary>Of a larger request, one image in this many is traced, in a trace of its own; default 1,000: a million images make a thousand traces.</summary>
    [Range(1, 1_000_000)]
    public int ImageInterval { get; set; } = 1_000;
}
