using Darkroom.Engine;
using Darkroom.Engine.Bodies;
using Darkroom.Images;
using Darkroom.Queue;
using Darkroom.Tests.Engine;
using Darkroom.Tests.Infrastructure;
using Darkroom.Tests.Queue;
using Darkroom.Tests.Runs;

namespace Darkroom.Tests.Telemetry;

public sealed class DarkroomMetricsTests
{
    [Fact]
    public void Every_instrument_says_what_it_measures_and_in_which_unit()
    {
        using var metrics = new RecordedMetrics();

        Assert.Equal(15, metrics.Instruments.Count);
        Assert.All(metrics.Instruments, instrument =>
        {
            Assert.StartsWith("darkroom.", instrument.Name, StringComparison.Ordinal);
            Assert.False(string.IsNullOrEmpty(instrument.Unit));
            Assert.EndsWith(".", instrument.Description, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Recorded_outcomes_are_counted_by_outcome_format_and_code()
    {
        await using var rig = await QueueRig.StartAsync();
        await rig.Request().WithImages(5).BuildAsync();
        var worker = await rig.WorkerAsync();
        var images = await worker.ClaimAsync(4);
        var jpeg = new ImageSource(ImageFormat.Jpeg, 1_000);

        await Task.WhenAll(
            worker.Recorder.RecordAsync(Outcomes.Success(images[0]) with { Source = jpeg }, default),
            worker.Recorder.RecordAsync(Outcomes.Failure(images[1]), default),
            worker.Recorder.RecordAsync(new ImageOutcome.Failed(images[2], "https://example.com/of-an-owner", "A workflow's own.") { Source = jpeg }, default),
            worker.Recorder.RecordAsync(new ImageOutcome.RetryAt(images[3], TimeSpan.FromHours(1)) { Code = "http_503" }, default));

        Assert.Equal(
            new Dictionary<string, double>
            {
                ["darkroom.outcome=succeeded darkroom.image.format=jpg"] = 1,
                ["darkroom.outcome=failed darkroom.image.format=unknown error.type=not_found"] = 1,
                ["darkroom.outcome=failed darkroom.image.format=jpg error.type=other"] = 1,
            },
            rig.Metrics.Sums("darkroom.images.finished"));
        Assert.Equal(new Dictionary<string, double> { ["error.type=http_503"] = 1 }, rig.Metrics.Sums("darkroom.images.retried"));
        Assert.Equal([1_000d], rig.Metrics.Values("darkroom.images.bytes.in"));
        Assert.Equal([400d], rig.Metrics.Values("darkroom.images.bytes.out"));
        Assert.Equal([600d], rig.Metrics.Values("darkroom.images.bytes.saved"));
    }

    [Fact]
    public async Task Outcome_that_changes_nothing_is_not_counted()
    {
        await using var rig = await QueueRig.StartAsync();
        await rig.Request().WithImages(1).BuildAsync();
        var worker = await rig.WorkerAsync();
        var image = (await worker.ClaimAsync(1))[0];

        await worker.Recorder.RecordAsync(Outcomes.Success(image), default);
        await worker.Recorder.RecordAsync(Outcomes.Success(image), default);

        Assert.Equal([1d], rig.Metrics.Values("darkroom.images.finished"));
    }

    [Fact]
    public async Task Queue_depth_is_the_number_of_unclaimed_images()
    {
        await using var rig = await QueueRig.StartAsync();
        await rig.Request().WithImages(5).BuildAsync();
        var worker = await rig.WorkerAsync(new QueueOptions { OfferedPerRequest = 3, OfferedAtLeast = 3 });
        var images = await worker.ClaimAsync(2);
        await worker.Recorder.RecordAsync(Outcomes.Success(images[0]), default);
        await rig.SqlAsync("update images set offered_at = now() - interval '10 seconds' where state = 'offered'");

        await worker.Sampler.SampleAsync(default);

        Assert.Equal([3d], rig.Metrics.Values("darkroom.queue.depth"));
        Assert.InRange(Assert.Single(rig.Metrics.Values("darkroom.queue.age")), 10, 600);
        Assert.Equal(2, rig.Metrics.Values("darkroom.queue.claim.latency").Count);
    }

    [Fact]
    public async Task Claims_of_a_dead_process_are_counted_when_they_are_recovered()
    {
        await using var rig = await QueueRig.StartAsync();
        await rig.Request().WithImages(2).BuildAsync();
        var dying = await rig.WorkerAsync();
        await dying.ClaimAsync(2);
        await rig.KillAsync(dying);

        await (await rig.WorkerAsync()).MaintainAsync();

        Assert.Equal(new Dictionary<string, double> { ["darkroom.claim.kind=image"] = 2 }, rig.Metrics.Sums("darkroom.claims.recovered"));
    }

    [Fact]
    public async Task Image_that_crashes_the_decoder_is_counted_as_poisoned()
    {
        await using var rig = await QueueRig.StartAsync();
        await rig.Request().WithImages(1).BuildAsync();
        var worker = await rig.WorkerAsync();
        var image = (await worker.ClaimAsync(1))[0];

        await worker.Recorder.RecordAsync(new ImageOutcome.Failed(image, ImageFailureCodes.DecoderCrashed, "It crashed."), default);

        Assert.Equal([1d], rig.Metrics.Values("darkroom.images.poisoned"));
    }

    [Fact]
    public async Task Steps_are_timed_by_activity_and_the_end_of_a_run_is_counted()
    {
        await using var rig = await EngineRig.StartAsync(
            new ScriptedActivity("Test.First", _ => new ActivityResult.Completed()),
            new ScriptedActivity("Test.Second", _ => new ActivityResult.Faulted("broken", "It broke.")));
        await rig.RequestAsync(new WorkflowJson().Activity("first", "Test.First").Activity("second", "Test.Second").Connect("first", "Done", "second"));

        await (await rig.ProcessAsync()).RunAllAsync();

        Assert.Equal(
            ["darkroom.activity.type=Test.First darkroom.outcome=completed", "darkroom.activity.type=Test.Second darkroom.outcome=faulted"],
            rig.Metrics.Sums("darkroom.workflow.step.duration").Keys.Order(StringComparer.Ordinal));
        Assert.Equal(new Dictionary<string, double> { ["darkroom.outcome=failed"] = 1 }, rig.Metrics.Sums("darkroom.requests.finished"));
    }

    [Theory]
    [InlineData("not_found", "not_found")]
    [InlineData("forbidden_address", "forbidden_address")]
    [InlineData("decoder_crashed", "decoder_crashed")]
    [InlineData("storage_denied", "storage_denied")]
    [InlineData("http_429", "http_429")]
    [InlineData("http_999", "other")]
    [InlineData("http_42", "other")]
    [InlineData("whatever a workflow says", "other")]
    [InlineData(null, "other")]
    public void Only_our_own_codes_are_labels(string? code, string label) => Assert.Equal(label, FailureLabels.Of(code));
}
