using System.ComponentModel.DataAnnotations;

namespace Darkroom.Telemetry;

/// <summary>How many images are traced. Section <c>Tracing</c>.</summary>
public sealed class TracingOptions
{
    /// <summary>
    /// Largest request, in images, whose trace includes every image; default 100. An image has about five spans, and trace viewers become
    /// unusable at a few thousand.
    /// </summary>
    [Range(0, 10_000)]
    public int ImagesPerTrace { get; set; } = 100;

    /// <summary>
    /// In larger requests, one image in this many gets its own trace; default 1,000: a million images produce a thousand traces.
    /// </summary>
    [Range(1, 1_000_000)]
    public int ImageInterval { get; set; } = 1_000;
}
