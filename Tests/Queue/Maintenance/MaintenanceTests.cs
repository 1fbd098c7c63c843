using Darkroom.Queue;

namespace Darkroom.Tests.Queue.Maintenance;

public sealed class MaintenanceTests
{
    [Fact]
    public async Task Image_whose_owner_died_is_claimed_again_without_using_an_attempt()
    {
        await using var rig = await QueueRig.StartAsync();
        var (dying, living) = (await rig.WorkerAsync(), await rig.WorkerAsync());
        await rig.Request().WithImages(3).BuildAsync();
        await dying.ClaimAsync(3);
        Assert.Equal(0, (await living.MaintainAsync()).Freed);

        await rig.KillAsync(dying);

        Assert.Equal(3, (await living.MaintainAsync()).Freed);
        Assert.All(await living.ClaimAsync(3), image => Assert.Equal((1, 2L), (image.Attempts, image.Fence)));
    }

    [Fact]
    public async Task Images_in_hand_at_a_death_are_suspect_and_those_of_a_process_that_stopped_are_not()
    {
        await using var rig = await QueueRig.StartAsync();
        var (dying, stopped, living) = (await rig.WorkerAsync(), await rig.WorkerAsync(), await rig.WorkerAsync());
        await rig.Request().WithImages(2).BuildAsync();
        var inHand = Assert.Single(await dying.ClaimAsync(1));
        var handedBack = Assert.Single(await stopped.ClaimAsync(1));
        Assert.False(inHand.IsSuspect);

        await rig.KillAsync(dying);
        await stopped.Process.StopAsync(default);

        Assert.Equal(2, (await living.MaintainAsync()).Freed);
        var claimed = await living.ClaimAsync(2);
        Assert.True(Assert.Single(claimed, image => image.Id == inHand.Id).IsSuspect);
        Assert.False(Assert.Single(claimed, image => image.Id == handedBack.Id).IsSuspect);
    }

    [Fact]
    public async Task Image_in_hand_at_any_number_of_deaths_keeps_all_its_attempts()
    {
        await using var rig = await QueueRig.StartAsync();
        var living = await rig.WorkerAsync();
        var request = await rig.Request().WithImages(1).BuildAsync();
        for (var death = 0; death < 10; death++)
        {
            var dying = await rig.WorkerAsync();
            Assert.Equal(1, Assert.Single(await dying.ClaimAsync(1)).Attempts);
            await rig.KillAsync(dying);
            await living.MaintainAsync();
        }

        Assert.Equal("waiting", await rig.ImageStateAsync(request.Images[0]));
        Assert.Equal(1, Assert.Single(await living.ClaimAsync(1)).Attempts);
    }

    [Fact]
    public async Task No_process_counts_as_dead_until_another_has_beaten_for_a_whole_lease()
    {
        await using var rig = await QueueRig.StartAsync();
        var (silent, living) = (await rig.WorkerAsync(), await rig.WorkerAsync());
        await rig.Request().WithImages(1).BuildAsync();
        await silent.ClaimAsync(1);
        (rig.Lease.Duration, rig.Lease.Heartbeat) = (TimeSpan.FromMinutes(6), TimeSpan.FromMinutes(2));
        await rig.KillAsync(silent);

        async Task<int> FreedAsync(string beatingSince, string heartbeatAt)
        {
            await rig.SqlAsync(
                $"update processes set beating_since = now() - interval '{beatingSince}', heartbeat_at = now() - interval '{heartbeatAt}' where id = '{living.Process.Id}'");
            return (await living.MaintainAsync()).Freed;
        }

        Assert.Equal(0, await FreedAsync("5 min", "0"));
        // It has beaten for long, but the database may have been away since.
        Assert.Equal(0, await FreedAsync("1 hour", "5 min"));
        Assert.Equal(1, await FreedAsync("7 min", "1 min"));
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

        Assert.Equal(4, (await worker.MaintainAsync()).Reoffered);
        Assert.Equal(10, await worker.Queue.CountAsync());
        Assert.Equal(0, (await worker.MaintainAsync()).Reoffered);
    }

    [Fact]
    public async Task Offers_that_only_wait_long_stay_as_they_are()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        await rig.Request().WithImages(10).BuildAsync();
        await worker.MaintainAsync();
        await worker.Feeder.FeedAsync(default);
        await rig.SqlAsync("update images set offered_at = now() - interval '1 minute'");

        Assert.Equal(0, (await worker.MaintainAsync()).Reoffered);

        Assert.Equal(10L, await rig.ReadAsync<long>("select count(*) from images where offered_at <= now() - interval '1 minute'"));
    }

    [Fact]
    public async Task Ids_that_a_process_had_popped_at_its_death_are_pushed_again_at_once()
    {
        await using var rig = await QueueRig.StartAsync();
        var (dying, living) = (await rig.WorkerAsync(), await rig.WorkerAsync());
        await rig.Request().WithImages(10).BuildAsync();
        await living.MaintainAsync();
        await dying.ClaimAsync(1);
        Assert.Equal(4, (await dying.Queue.PopAsync(4)).Count);
        Assert.Equal(5, await living.Queue.CountAsync());

        await rig.KillAsync(dying);

        Assert.Equal(new MaintenanceResult(Freed: 1, HandedBack: 0, Reoffered: 0, Rebuilt: 0), await living.MaintainAsync());
        Assert.Equal(9, await living.Queue.CountAsync());
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
        await rig.SqlAsync("update csv_data_table set status = 'cancelled', fan_out_open = false, finished_at = now()");
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
