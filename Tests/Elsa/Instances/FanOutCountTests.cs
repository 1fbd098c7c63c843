using Darkroom.Engine.Bodies;
using Darkroom.Queue;
using Darkroom.Tests.Infrastructure;
using Darkroom.Tests.Queue;

namespace Darkroom.Tests.Elsa.Instances;

public sealed class FanOutCountTests
{
    private const string Body = "Workflow1:Flowchart1:fan-out:body";
    private static readonly string[] Steps = [$"{Body}:download", $"{Body}:compress", $"{Body}:store"];

    [Fact]
    public async Task Thousands_of_images_write_one_row_per_activity_and_none_to_the_journal()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync(new QueueOptions { RecordBatch = 250 });
        await rig.Request().WithImages(3_000).BuildAsync();
        var images = await worker.ClaimAsync(3_000);

        await Task.WhenAll(images.Select(image => worker.Recorder.RecordAsync(image.Row % 10 == 0 ? FailedAt(image, 1) : Passed(image), default)));

        Assert.Equal(0, await rig.ReadAsync<long>("select count(*) from activity_executions"));
        Assert.Equal(4, await rig.ReadAsync<long>("select count(*) from fan_out_counts"));
        Assert.Equal((2_700L, 300L, 0L), await CountsAsync(rig, Body));
        Assert.Equal((3_000L, 0L, 0L), await CountsAsync(rig, Steps[0]));
        Assert.Equal((2_700L, 300L, 0L), await CountsAsync(rig, Steps[1]));
        Assert.Equal((2_700L, 0L, 0L), await CountsAsync(rig, Steps[2]));
    }

    [Fact]
    public async Task A_superseded_outcome_changes_no_count()
    {
        await using var rig = await QueueRig.StartAsync();
        var (slow, quick) = (await rig.WorkerAsync(), await rig.WorkerAsync());
        await rig.Request().WithImages(2).BuildAsync();
        var images = await slow.ClaimAsync(2);
        await slow.Recorder.RecordAsync(Passed(images[0]), default);

        Assert.Equal(RecordResult.Superseded, await quick.Recorder.RecordAsync(FailedAt(images[0], 0), default));
        Assert.Equal(RecordResult.Superseded, await quick.Recorder.RecordAsync(Passed(images[1] with { Fence = 99 }), default));

        Assert.Equal((1L, 0L, 0L), await CountsAsync(rig, Steps[0]));
        Assert.Equal((1L, 0L, 0L), await CountsAsync(rig, Body));
    }

    [Fact]
    public async Task A_retried_attempt_is_not_a_failure_and_completed_steps_count_once()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        await rig.Request().WithImages(1).BuildAsync();
        var image = Assert.Single(await worker.ClaimAsync(1));
        await worker.Recorder.RecordAsync(
            new ImageOutcome.RetryAt(image, TimeSpan.Zero) { Trace = new ImageTrace(Steps[..1], Steps[1]) }, default);
        var again = Assert.Single(await worker.ClaimAsync(1));

        await worker.Recorder.RecordAsync(Passed(again), default);

        Assert.Equal((1L, 0L, 0L), await CountsAsync(rig, Steps[0]));
        Assert.Equal((1L, 0L, 1L), await CountsAsync(rig, Steps[1]));
        Assert.Equal((1L, 0L, 1L), await CountsAsync(rig, Body));
    }

    [Fact]
    public async Task An_outcome_without_a_trace_is_still_recorded()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        var request = await rig.Request().WithImages(1).BuildAsync();

        await worker.Recorder.RecordAsync(Outcomes.Success(Assert.Single(await worker.ClaimAsync(1))), default);

        Assert.Equal(1, await rig.CountAsync(request.Id, "succeeded"));
        Assert.Equal(0, await rig.ReadAsync<long>("select count(*) from fan_out_counts"));
    }

    private static ImageOutcome Passed(ClaimedImage image) => Outcomes.Success(image) with { Trace = new ImageTrace([.. Steps], null) };

    private static ImageOutcome FailedAt(ClaimedImage image, int step) =>
        Outcomes.Failure(image) with { Trace = new ImageTrace(Steps[..step], Steps[step]) };

    private static async Task<(long Completed, long Faulted, long Retried)> CountsAsync(QueueRig rig, string node) => (
        await rig.ReadAsync<long>($"select completed from fan_out_counts where node_id = '{node}'"),
        await rig.ReadAsync<long>($"select faulted from fan_out_counts where node_id = '{node}'"),
        await rig.ReadAsync<long>($"select retried from fan_out_counts where node_id = '{node}'"));
}
