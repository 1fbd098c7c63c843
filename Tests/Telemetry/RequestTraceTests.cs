using System.Diagnostics;
using System.Text.RegularExpressions;
using Darkroom.Data;
using Darkroom.Tests.EndToEnd;

namespace Darkroom.Tests.Telemetry;

/// <summary>The traces that a running system records for a request, and while idle.</summary>
public sealed partial class RequestTraceTests
{
    private static readonly string[] ImageParts = ["download", "store original", "codec", "store"];

    [Fact]
    public async Task One_trace_runs_from_the_upload_to_the_webhook()
    {
        using var spans = new RecordedSpans();
        await using var system = await DarkroomSystem.StartAsync();

        var trace = await UploadAsync(system, system.Images.Good(1), system.Images.Good(2));
        var request = await spans.WaitAsync(trace, IsComplete);

        var upload = Assert.Single(request, span => span.Kind == ActivityKind.Server && Equals(span.GetTagItem("url.path"), "/v1/requests"));
        var runs = Named(request, "workflow run");
        Assert.All(runs, run => Assert.Equal(upload.SpanId, run.ParentSpanId));
        string[] steps = ["Darkroom.CsvUploaded", "Darkroom.ValidateCsv", "Darkroom.FanOutImages", "Darkroom.WriteOutputCsv", "Darkroom.NotifyWebhook"];
        Assert.All(steps, step => Assert.All(Named(request, step), span => Assert.Contains(span.ParentSpanId, runs.Select(run => run.SpanId))));
        var images = Named(request, "image");
        Assert.Equal(2, images.Count);
        Assert.All(images, image => Assert.Equal(upload.SpanId, image.ParentSpanId));
        Assert.All(ImageParts, part => Assert.Equal(
            images.Select(image => image.SpanId).ToHashSet(), Named(request, part).Select(span => span.ParentSpanId).ToHashSet()));
        Assert.Equal(upload.SpanId, Assert.Single(Named(request, "webhook attempt")).ParentSpanId);
    }

    [Fact]
    public async Task Pollers_start_no_trace()
    {
        using var spans = new RecordedSpans();
        await using var system = await DarkroomSystem.StartAsync();

        // Once a request has completed, every poller has polled.
        var trace = await UploadAsync(system, system.Images.Good(1));
        var request = await spans.WaitAsync(trace, IsComplete);

        Assert.Contains(request, span => Concerns(span, system));
        Assert.Empty(spans.All.Where(span => IsRoot(span) && Concerns(span, system)).Select(Describe));
        Assert.Empty(spans.All.Where(span => IsRoot(span) && span.Source.Name == "Darkroom" && span.OperationName != "image").Select(span => span.DisplayName));
    }

    [Fact]
    public async Task Instances_and_deliveries_keep_the_trace()
    {
        await using var system = await DarkroomSystem.StartAsync();

        var trace = await UploadAsync(system, system.Images.Good(1));
        await system.Webhooks.NextAsync();

        await using var command = system.Database.DataSource.Sql(
            """
            select traceparent from workflow_instances
            union all
            select traceparent from webhook_deliveries
            """);
        await using var reader = await command.ExecuteReaderAsync();
        var kept = new List<string?>();
        while (await reader.ReadAsync())
            kept.Add(reader.TextOrNull(0));
        Assert.Equal(2, kept.Count);
        Assert.All(kept, traceParent => Assert.StartsWith($"00-{trace}-", traceParent, StringComparison.Ordinal));
    }

    /// <summary>Uploads as a client with tracing.</summary>
    private static async Task<ActivityTraceId> UploadAsync(DarkroomSystem system, params string[] urls)
    {
        using var client = new Activity("client") { ActivityTraceFlags = ActivityTraceFlags.Recorded }.Start();
        await system.Client.UploadAsync(ProductCsv.Of(urls), system.Webhooks.Url);
        return client.TraceId;
    }

    /// <summary>Whether the spans that end last have been recorded.</summary>
    private static bool IsComplete(IReadOnlyList<Activity> trace) =>
        Named(trace, "webhook attempt").Count == 1
        && Named(trace, "workflow run") is { Count: > 0 } runs
        && Named(trace, "Darkroom.NotifyWebhook") is [{ } last]
        && runs.Any(run => run.SpanId == last.ParentSpanId)
        && trace.Any(span => span.Kind == ActivityKind.Server && Equals(span.GetTagItem("url.path"), "/v1/requests"))
        && Named(trace, "Darkroom.FanOutImages").All(step => runs.Any(run => run.SpanId == step.ParentSpanId))
        && Named(trace, "store").All(part => Named(trace, "image").Any(image => image.SpanId == part.ParentSpanId));

    private static List<Activity> Named(IReadOnlyList<Activity> spans, string name) => [.. spans.Where(span => span.OperationName == name)];

    // The fake external servers run in this process too; their spans do not belong to the product.
    private static bool IsRoot(Activity span) => span.ParentSpanId == default && span.Kind != ActivityKind.Server;

    private static string Describe(Activity span) =>
        $"{span.Source.Name}: {span.DisplayName} {string.Join(' ', span.TagObjects.Select(tag => $"{tag.Key}={tag.Value}"))}";

    /// <summary>True for calls to this product's own database, Redis or S3.</summary>
    private static bool Concerns(Activity span, DarkroomSystem system)
    {
        string[] marks = [system.Database.Name, Port().Match(system.Redis.ConnectionString).Value, Port().Match(system.S3.ConnectionString).Value];
        // The test creates the database itself.
        var isOfTheTest = span.GetTagItem("db.query.text") is string text && text.StartsWith("create database", StringComparison.Ordinal);
        return span.Kind == ActivityKind.Client
            && !isOfTheTest
            && span.TagObjects.Any(tag => marks.Any(mark => $":{tag.Value}".Contains(mark, StringComparison.Ordinal)));
    }

    [GeneratedRegex(@":\d{4,5}\b")]
    private static partial Regex Port();
}
