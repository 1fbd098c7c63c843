using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text;
using System.Text.RegularExpressions;
using Darkroom.Tests.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Darkroom.Tests.Telemetry;

/// <summary>What hostile input can make of telemetry, as a collector receives it.</summary>
public sealed partial class TelemetryLimitTests : IAsyncLifetime
{
    private const int Megabyte = 1_000_000;

    private readonly ConcurrentQueue<(string Path, string Text)> _received = new();
    private WebApplication _collector = null!;
    private Infrastructure.TestDatabase _database = null!;
    private Infrastructure.TestS3 _s3 = null!;

    public async Task InitializeAsync()
    {
        _database = await Infrastructure.TestDatabase.CreateAsync();
        _s3 = await Infrastructure.TestS3.StartAsync();
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        builder.Logging.ClearProviders();
        _collector = builder.Build();
        _collector.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            _received.Enqueue((context.Request.Path, Encoding.Latin1.GetString(body.ToArray())));
        });
        await _collector.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _collector.DisposeAsync();
        await _s3.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Text_of_a_megabyte_is_exported_cut_off()
    {
        await ExportAsync(async api =>
        {
            var huge = new string('x', Megabyte);
            using var source = new ActivitySource("Darkroom.Limits");
            using (var span = source.StartActivity("hostile"))
                span!.SetTag("product", huge).AddEvent(new ActivityEvent("read", tags: new([new("name", huge)])));
            var logger = api.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Darkroom.Limits");
            using (logger.BeginScope(new Dictionary<string, object> { ["url"] = huge }))
                logger.Log(LogLevel.Error, 0, new Dictionary<string, object?> { ["header"] = huge }, exception: null, (state, _) => $"Refused {state["header"]}");

            // And as a client can send it.
            using var alice = await api.ClientAsync();
            using var upload = await alice.UploadAsync(ApiClient.Form(("file", $"S. No.,Product Name,Input Image Urls\n1,{huge},https://images.test/{huge}.jpg\n")));
            using var address = await api.Anonymous.GetAsync("/v1/" + new string('x', 8_000));
        });

        foreach (var (path, longest) in new[] { ("/v1/traces", 2_048), ("/v1/logs", 8_192) })
        {
            var text = Text(path);
            Assert.Contains("xxxxxxxx", text, StringComparison.Ordinal);
            Assert.InRange(Runs().Matches(text).Max(run => run.Length), 8, longest);
        }
    }

    [Fact]
    public async Task A_span_keeps_a_limited_number_of_attributes_events_and_links()
    {
        await ExportAsync(_ =>
        {
            using var source = new ActivitySource("Darkroom.Limits");
            using var span = source.StartActivity(
                ActivityKind.Internal, name: "hostile", parentContext: default,
                links: Enumerable.Range(0, 1_000).Select(i => new ActivityLink(new(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), default), new([new("link", $"link-{i}-")]))));
            for (var i = 0; i < 1_000; i++)
                span!.SetTag($"attribute-{i}-", 1).AddEvent(new ActivityEvent($"event-{i}-"));
            return Task.CompletedTask;
        });

        var text = Text("/v1/traces");
        Assert.Equal((64, 32, 32), (Count(text, "attribute-"), Count(text, "event-"), Count(text, "link-")));
    }

    [Fact]
    public async Task A_metric_keeps_a_limited_number_of_series_apart()
    {
        await ExportAsync(_ =>
        {
            var meter = new Meter("Darkroom.Limits");
            var counter = meter.CreateCounter<long>("hostile");
            for (var i = 0; i < 10_000; i++)
                counter.Add(1, new KeyValuePair<string, object?>("product", $"series-{i}-"));
            return Task.CompletedTask;
        });

        var text = Text("/v1/metrics");
        Assert.InRange(Count(text, "series-"), 900, 1_000);
        Assert.Contains("otel.metric.overflow", text, StringComparison.Ordinal);
    }

    /// <summary>Runs an API that exports to the collector; stopping it exports what is left.</summary>
    private async Task ExportAsync(Func<TestApi, Task> work)
    {
        await using var api = await TestApi.StartAsync(
            _database.ConnectionString, _s3.ConnectionString,
            $"OTEL_EXPORTER_OTLP_ENDPOINT={_collector.Urls.Single()}", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
            "Logging:LogLevel:Default=Trace", "Logging:LogLevel:Microsoft.AspNetCore=Trace", "Logging:Console:LogLevel:Default=None");
        await work(api);
    }

    private string Text(string path) => string.Concat(_received.Where(request => request.Path == path).Select(request => request.Text));

    private static int Count(string text, string mark) => Regex.Matches(text, $"{mark}[0-9]+-").Select(match => match.Value).Distinct().Count();

    [GeneratedRegex("x{8,}")]
    private static partial Regex Runs();
}
