using System.Diagnostics;
using Darkroom.Data;
using Darkroom.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Darkroom.Tests.Telemetry;

public sealed class DarkroomTracingTests
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";
    private const string TraceParent = $"00-{Trace}-b7ad6b7169203331-01";

    private static readonly RequestId Request = new(Guid.NewGuid());

    [Theory]
    [InlineData(1, 7, ImageTracing.InRequest)]
    [InlineData(100, 7, ImageTracing.InRequest)]
    [InlineData(101, 7, ImageTracing.None)]
    [InlineData(101, 1_000, ImageTracing.Alone)]
    [InlineData(1_000_000, 1_999, ImageTracing.None)]
    [InlineData(1_000_000, 2_000, ImageTracing.Alone)]
    public void Up_to_100_images_are_in_the_trace_of_their_request_and_above_that_1_in_1000_alone(int images, long image, ImageTracing expected) =>
        Assert.Equal(expected, DarkroomTracing.Decide(images, new ImageId(image), new TracingOptions()));

    [Fact]
    public void Of_a_large_request_exactly_1_in_1000_is_traced() =>
        Assert.Equal(100, Enumerable.Range(1, 100_000).Count(id => DarkroomTracing.Decide(100_000, new ImageId(id), new TracingOptions()) == ImageTracing.Alone));

    [Fact]
    public void Image_traced_alone_links_to_its_request()
    {
        using var listener = Listen();

        using var span = DarkroomTracing.StartImage(TraceParent, Request, 101, new ImageId(1_000), new TracingOptions());

        Assert.NotNull(span);
        Assert.NotEqual(Trace, span.TraceId.ToString());
        Assert.Equal(default, span.ParentSpanId);
        Assert.Equal(Trace, Assert.Single(span.Links).Context.TraceId.ToString());
    }

    [Fact]
    public void Image_left_out_is_not_recorded_but_its_logs_name_the_trace()
    {
        using var listener = Listen();

        using var span = DarkroomTracing.StartImage(TraceParent, Request, 101, new ImageId(1), new TracingOptions());

        Assert.Equal((Trace, false), (Activity.Current?.TraceId.ToString(), Activity.Current?.Recorded));
    }

    [Fact]
    public void Work_without_a_traceparent_starts_no_trace()
    {
        using var listener = Listen();

        Assert.Null(DarkroomTracing.StartRun(null, Guid.NewGuid(), Request, 1));
        Assert.Null(DarkroomTracing.StartImage(null, Request, 1, new ImageId(1), new TracingOptions()));
        Assert.Null(DarkroomTracing.StartAttempt(null, Request, "msg_1"));
        Assert.Null(DarkroomTracing.StartStep("Darkroom.ValidateCsv"));
        Assert.Null(DarkroomTracing.StartChild("store"));
    }

    [Theory]
    [InlineData("Tracing:ImagesPerTrace", "-1")]
    [InlineData("Tracing:ImageInterval", "0")]
    public void Options_outside_their_range_are_refused(string name, string value)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection([new(name, value)]).Build());
        services.AddTelemetry();
        using var provider = services.BuildServiceProvider();

        Assert.Throws<OptionsValidationException>(() => provider.GetRequiredService<IStartupValidator>().Validate());
    }

    [Fact]
    public void Scopes_carry_the_ids_under_the_names_that_spans_use()
    {
        var scopes = new LoggerExternalScopeProvider();
        using var logs = LoggerFactory.Create(logging => logging.AddProvider(new ScopedProvider(scopes)));
        var carried = new List<KeyValuePair<string, object?>>();

        using (logs.CreateLogger("test").BeginImage(Request, new ImageId(7)))
            scopes.ForEachScope((scope, all) => all.AddRange((IEnumerable<KeyValuePair<string, object?>>)scope!), carried);

        Assert.Contains(new KeyValuePair<string, object?>("darkroom.request.id", Request), carried);
        Assert.Contains(new KeyValuePair<string, object?>("darkroom.image.id", new ImageId(7)), carried);
    }

    private static ActivityListener Listen()
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == DarkroomTracing.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }

    private sealed class ScopedProvider(IExternalScopeProvider scopes) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => scopes.Push(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
        }

        public void Dispose()
        {
        }
    }
}
