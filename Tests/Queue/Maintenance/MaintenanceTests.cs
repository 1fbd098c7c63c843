using Darkroom.Queue;

namespace Darkroom.Tests.Queue.Maintenance;

public sealed class MaintenanceTests
{
    [Fact]
    public async Task Image_whose_owner_died_is_claimed_again_as_a_suspect_without_using_an_attempt()
    {
        await using var rig = await QueueRig.StartAsync();
        var (dying, living) = (await rig.WorkerAsync(), await rig.WorkerAsync());
        await rig.Request().WithImages(3).BuildAsync();
        await dying.ClaimAsync(3);
        Assert.Equal(0, (await living.MaintainAsync()).Freed);

        await rig.KillAsync(dying);

        Assert.Equal(3, (await living.MaintainAsync()).Freed);
        Assert.All(await living.ClaimAsync(3), image => Assert.Equal((true, 1, 2L), (image.Suspect, image.Attempts, image.Fence)));
    }

    [Fact]
    public async Task Image_of_a_process_that_stopped_cleanly_is_not_a_suspect()
    {
        await using var rig = await QueueRig.StartAsync();
        var (leaving, living) = (await rig.WorkerAsync(), await rig.WorkerAsync());
        await rig.Request().WithImages(1).BuildAsync();
        await leaving.ClaimAsync(1);

        await leaving.Process.StopAsync(default);
        await living.MaintainAsync();

        Assert.False(Assert.Single(await living.ClaimAsync(1)).Suspect);
    }

    [Fact]
    public async Task Image_that_crashes_its_process_twice_while_alone_fails_and_the_request_continues()
    {
        await using var rig = await QueueRig.StartAsync();
        var living = await rig.WorkerAsync();
        var request = await rig.Request().WithImages(1).BuildAsync();

        // Not alone: only a suspect, however often its process crashes.
        for (var death = 0; death < 3; death++)
            await DieUnderAsync(alone: false);
        Assert.Equal(0, await rig.ReadAsync<int>("select exclusive_crashes from images"));

        await DieUnderAsync(alone: true);
        Assert.Equal(1, await rig.ReadAsync<int>("select exclusive_crashes from images"));
        Assert.Equal("waiting", await rig.ImageStateAsync(request.Images[0]));

        var last = await DieUnderAsync(alone: true);
        Assert.Equal(1, last.Crashed);
        Assert.Equal("decoder_crashed", await rig.ReadAsync<string>("select error_code from images"));
        var (succeeded, failed, percentage, _) = await rig.CountersAsync(request.Id);
        Assert.Equal((0, 1, 99), (succeeded, failed, percentage));
        Assert.Equal(1, await rig.ResumptionsAsync(request));
        Assert.Equal(0, living.Held.Count);

        async Task<MaintenanceResult> DieUnderAsync(bool alone)
        {
            var worker = await rig.WorkerAsync();
            var image = Assert.Single(await worker.ClaimAsync(1));
            Assert.Equal(1, image.Attempts);
            if (alone)
                Assert.True(await worker.Gate.BeginAsync(image, default));
            await rig.KillAsync(worker);
            return await living.MaintainAsync();
        }
    }

    [Fact]
    public async Task Suspect_that_survives_its_decode_is_no_suspect_any_more()
    {
        await using var rig = await QueueRig.StartAsync();
        var (dying, living) = (await rig.WorkerAsync(), await rig.WorkerAsync());
        var request = await rig.Request().WithImages(1).BuildAsync();
        await dying.ClaimAsync(1);
        await rig.KillAsync(dying);
        await living.MaintainAsync();

        var suspect = Assert.Single(await living.ClaimAsync(1));
        await living.Gate.RunAsync(suspect, DecodeAsync, default);

        Assert.False(await rig.ReadAsync<bool>("select suspect or exclusive from images"));
        await living.Recorder.RecordAsync(Outcomes.Success(suspect), default);

        Assert.Equal("succeeded", await rig.ImageStateAsync(request.Images[0]));

        async Task<int> DecodeAsync()
        {
            Assert.True(await rig.ReadAsync<bool>("select suspect and exclusive from images"));
            return 0;
        }
    }

    [Fact]
    public async Task Suspect_whose_claim_was_lost_is_not_decoded()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        await rig.Request().WithImages(1).BuildAsync();
        var stale = Assert.Single(await worker.ClaimAsync(1)) with { Suspect = true };
        await worker.Claimer.HandBackAsync([stale], default);
        await worker.ClaimAsync(1);

        await Assert.ThrowsAsync<ClaimLostException>(
            () => worker.Gate.RunAsync<int>(stale, () => throw new InvalidOperationException("It was decoded."), default));
    }

    [Fact]
    public async Task No_process_counts_as_dead_right_after_the_database_starts()
    {
        await using var rig = await QueueRig.StartAsync();
        var (silent, living) = (await rig.WorkerAsync(), await rig.WorkerAsync());
        await rig.Request().WithImages(1).BuildAsync();
        await silent.ClaimAsync(1);
        // The heartbeat is older than the server's start.
        rig.Lease.Duration = await rig.Database.ServerUptimeAsync() + TimeSpan.FromMinutes(1);
        await rig.SqlAsync($"update processes set heartbeat_at = now() - interval '10 years' where id = '{silent.Process.Id}'");

        Assert.Equal(0, (await living.MaintainAsync()).Freed);
    }

    [Fact]
    public async Task All_offers_are_pushed_again_after_a_flush()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        await worker.MaintainAsync();
        await rig.Request().WithImages(1_500).BuildAsync();
        await rig.Request().WithImages(20).BuildAsync();
        while ((await worker.Feeder.FeedAsync(default)).Offered > 0)
        {
        }
        Assert.Equal(1_520, await worker.Queue.CountAsync());

        await rig.Redis.FlushAsync();
        Assert.Equal(0, await worker.Queue.CountAsync());

        Assert.Equal(1_520, (await worker.MaintainAsync()).Rebuilt);
        Assert.Equal(1_520, await worker.Queue.CountAsync());
        Assert.Equal(0, (await worker.MaintainAsync()).Rebuilt);
    }

    [Fact]
    public async Task Ids_lost_between_pop_and_claim_are_pushed_again()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        await rig.Request().WithImages(10).BuildAsync();
        await worker.MaintainAsync();
        await worker.Feeder.FeedAsync(default);
        await worker.Queue.PopAsync(4);
        Assert.Equal(0, (await worker.MaintainAsync()).Reoffered);

        await rig.SqlAsync("update images set offered_at = now() - interval '1 minute'");

        Assert.Equal(10, (await worker.MaintainAsync()).Reoffered);
        Assert.Equal(10, await worker.Queue.CountAsync());
        Assert.Equal(0, (await worker.MaintainAsync()).Reoffered);
    }

    [Fact]
    public async Task Rescuers_racing_free_each_image_once()
    {
        await using var rig = await QueueRig.StartAsync();
        var dying = await rig.WorkerAsync();
        var living = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => rig.WorkerAsync()));
        await rig.Request().WithImages(200).BuildAsync();
        await dying.ClaimAsync(200);
        await rig.KillAsync(dying);

        var results = await Task.WhenAll(living.Select(worker => worker.MaintainAsync()));

        Assert.Equal(200, results.Sum(r => r.Freed));
        Assert.All(await living[0].ClaimAsync(200), image => Assert.Equal(1, image.Attempts));
    }

    [Fact]
    public async Task Unfinished_image_of_a_cancelled_request_has_no_owner()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        var request = await rig.Request().WithImages(1).BuildAsync();
        var image = Assert.Single(await worker.ClaimAsync(1));
        await rig.SqlAsync("update csv_data_table set status = 'cancelled', finished_at = now()");
        await worker.Recorder.RecordAsync(Outcomes.Success(image), default);

        Assert.Equal(1, (await worker.MaintainAsync()).HandedBack);
        Assert.Equal("waiting", await rig.ImageStateAsync(request.Images[0]));
    }

    [Fact]
    public async Task Long_dead_process_is_deleted_once_it_owns_nothing()
    {
        await using var rig = await QueueRig.StartAsync();
        var (dead, living) = (await rig.WorkerAsync(), await rig.WorkerAsync());
        await rig.KillAsync(dead);

        await living.MaintainAsync();

        Assert.Equal(living.Process.Id, await rig.ReadAsync<Guid>("select id from processes"));
    }

    [Fact]
    public async Task Clean_shutdown_leaves_nothing_running()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        var request = await rig.Request().WithImages(4).BuildAsync();
        await worker.ClaimAsync(4);

        Assert.Equal(4, await worker.Returner.ReturnAllAsync(default));
        Assert.Equal(4, await rig.CountAsync(request.Id, "waiting"));
    }
}
