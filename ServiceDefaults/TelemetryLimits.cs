using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;

namespace Microsoft.Extensions.Hosting;

/// <summary>Section <c>Telemetry</c>: limits for which OpenTelemetry defines no variable of its own.</summary>
public sealed class TelemetryOptions
{
    public const string Section = "Telemetry";

    /// <summary>Longest exported log message, in characters; the rest is cut off. Default 8,192: a long SQL statement fits.</summary>
    [Range(256, 1_048_576)]
    public int MaxLogMessage { get; set; } = 8_192;

    /// <summary>
    /// Combinations of labels that one metric keeps apart; further ones are counted together. Default 1,000: several times what Darkroom has, and
    /// little memory. Nothing that a client can choose is a label, so only a mistake gets there.
    /// </summary>
    [Range(10, 100_000)]
    public int MaxSeries { get; set; } = 1_000;
}

/// <summary>Bounds what telemetry may cost, whatever is in the requests and files that it describes.</summary>
internal static class TelemetryLimits
{
    /// <summary>Defaults of OpenTelemetry's own variables: any other configuration source overrides them.</summary>
    private static readonly Dictionary<string, string?> Variables = new()
    {
        // A URL of 2,048 characters, the longest that an upload may contain, fits.
        ["OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"] = "2048",
        // Instrumentation and Darkroom together set fewer than 30.
        ["OTEL_ATTRIBUTE_COUNT_LIMIT"] = "64",
        // An event is an exception, and a link leads to the trace of the request: a handful at most.
        ["OTEL_SPAN_EVENT_COUNT_LIMIT"] = "32",
        ["OTEL_SPAN_LINK_COUNT_LIMIT"] = "32",
        ["OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT"] = "16",
        ["OTEL_LINK_ATTRIBUTE_COUNT_LIMIT"] = "16",
        // While the collector is away, this many spans and log records are kept, and further ones dropped.
        ["OTEL_BSP_MAX_QUEUE_SIZE"] = "2048",
        ["OTEL_BLRP_MAX_QUEUE_SIZE"] = "2048",
    };

    public static void AddTelemetryLimits(this IHostApplicationBuilder builder)
    {
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = Variables });
        builder.Services.AddOptions<TelemetryOptions>().BindConfiguration(TelemetryOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        builder.Services.ConfigureOpenTelemetryLoggerProvider((services, logs) =>
            logs.AddProcessor(new ShortLogMessages(services.GetRequiredService<IOptions<TelemetryOptions>>().Value.MaxLogMessage)));
        builder.Services.ConfigureOpenTelemetryMeterProvider((services, metrics) =>
        {
            var limit = services.GetRequiredService<IOptions<TelemetryOptions>>().Value.MaxSeries;
            metrics.AddView(_ => new MetricStreamConfiguration { CardinalityLimit = limit });
        });
    }

    /// <summary>Cuts messages off; the variables above limit only attributes.</summary>
    private sealed class ShortLogMessages(int max) : BaseProcessor<LogRecord>
    {
        public override void OnEnd(LogRecord data)
        {
            if (data.FormattedMessage is { } message && message.Length > max)
                data.FormattedMessage = message[..max];
            if (data.Body is { } body && body.Length > max)
                data.Body = body[..max];
        }
    }
}
