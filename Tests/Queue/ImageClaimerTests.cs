using System.Collections.Concurrent;
using Darkroom.Data;
using Darkroom.Engine.Bodies;
using Darkroom.Queue;
using Darkroom.Requests;
using Npgsql;

namespace Darkroom.Tests.Queue;

public sealed class ImageClaimerTests
{
    [Fact]
    public async Task Workers_racing_for_images_pushed_three_times_run_each_once()
    {
        await using var rig = await QueueRig.StartAsync();
        var workers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => rig.WorkerAsync()));
        var request = await rig.Request().WithImages(600).BuildAsync();
        await workers[0].Feeder.FeedAsync(default);
        var claimed = new ConcurrentBag<ClaimedImage>();

        var claims = workers.Select(async worker =>
        {
            while (true)
            {
                var images = await worker.Claimer.ClaimAsync(7, default);
                if (images.Count == 0)
                    return;
                foreach (var image in images)
                    claimed.Add(image);
            }
        });
        var duplicates = Enumerable.Range(0, 2).Select(_ => workers[0].Queue.PushAsync(request.Id, [.. request.Images]));
        await Task.WhenAll([.. duplicates, .. claims]);

        Assert.Equal(request.Images.Select(i => i.Value), claimed.Select(c => c.Id.Value).Order());
        Assert.All(claimed, c => Assert.Equal((1L, 1), (c.Fence, c.Attempts)));
    }

    [Fact]
    public async Task Claimed_image_has_everything_its_body_needs()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        var request = await rig.Request().WithImages(2).InRun(3).BuildAsync();

        var second = (await worker.ClaimAsync(2)).Single(i => i.Row == 2);

        Assert.Equal(
            new ClaimedImage(request.Images[1], request.Id, 3, 1, 2, 1, "http://127.0.0.1/2.jpg", 1, 0, request.Owner), second);
        Assert.Equal(worker.Process.Id, await rig.ReadAsync<Guid>($"select owner from images where id = {second.Id}"));
    }

    [Fact]
    public async Task Ids_without_a_claimable_image_are_dropped_and_do_not_block_the_next_ones()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        var request = await rig.Request().WithImages(3).BuildAsync();
        await worker.Queue.PushAsync(request.Id, [.. Enumerable.Range(1, 50).Select(i => new ImageId(1_000_000 + i))]);
        await worker.Feeder.FeedAsync(default);

        Assert.Equal(3, (await worker.Claimer.ClaimAsync(3, default)).Count);
    }

    [Fact]
    public async Task Images_of_a_cancelled_request_are_not_claimed()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        var request = await rig.Request().WithImages(3).BuildAsync();
        await worker.Feeder.FeedAsync(default);
        await rig.SqlAsync($"update csv_data_table set status = 'cancelled', fan_out_open = false, finished_at = now() where id = '{request.Id}'");

        Assert.Empty(await worker.Claimer.ClaimAsync(3, default));
    }

    [Fact]
    public async Task Process_without_a_row_claims_nothing()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        await rig.Request().WithImages(3).BuildAsync();
        await worker.Feeder.FeedAsync(default);
        await rig.SqlAsync("delete from processes");

        Assert.Empty(await worker.Claimer.ClaimAsync(3, default));
    }

    [Fact]
    public async Task Image_that_is_handed_back_is_claimed_elsewhere_without_using_an_attempt()
    {
        await using var rig = await QueueRig.StartAsync();
        var (leaving, staying) = (await rig.WorkerAsync(), await rig.WorkerAsync());
        await rig.Request().WithImages(1).BuildAsync();
        var image = Assert.Single(await leaving.ClaimAsync(1));

        await leaving.Claimer.HandBackAsync([image], default);

        var again = Assert.Single(await staying.ClaimAsync(1));
        Assert.Equal((2L, 1), (again.Fence, again.Attempts));
        Assert.Equal(0, leaving.Held.Count);
    }

    [Fact]
    public async Task Handing_back_an_image_that_another_process_has_claimed_changes_nothing()
    {
        await using var rig = await QueueRig.StartAsync();
        var (late, owner) = (await rig.WorkerAsync(), await rig.WorkerAsync());
        await rig.Request().WithImages(1).BuildAsync();
        var stale = Assert.Single(await late.ClaimAsync(1));
        await late.Claimer.HandBackAsync([stale], default);
        await owner.ClaimAsync(1);

        await late.Claimer.HandBackAsync([stale], default);

        Assert.Equal("running", await rig.ImageStateAsync(stale.Id));
    }

    [Fact]
    public async Task Claim_whose_response_was_lost_is_handed_back()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        await rig.Request().WithImages(2).BuildAsync();
        var held = Assert.Single(await worker.ClaimAsync(1));
        // As if the claim of the second image had been committed but its response lost.
        await worker.Feeder.FeedAsync(default);
        await rig.SqlAsync(
            $"update images set state = 'running', owner = '{worker.Process.Id}', fence = fence + 1, attempts = attempts + 1 where state = 'offered'");

        Assert.Equal(1, (await worker.MaintainAsync()).HandedBack);

        Assert.Equal("running", await rig.ImageStateAsync(held.Id));
        Assert.Equal(1, Assert.Single(await worker.ClaimAsync(1)).Attempts);
    }

    [Fact]
    public async Task Claiming_while_Postgres_is_down_returns_nothing_and_loses_nothing()
    {
        await using var rig = await QueueRig.StartAsync();
        var options = new QueueOptions { StaleOffer = TimeSpan.FromSeconds(0.001) };
        await using var unreachable = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Username=nobody;Database=nothing;Timeout=1");
        var worker = await rig.WorkerAsync(options);
        await rig.Request().WithImages(3).BuildAsync();
        await worker.Feeder.FeedAsync(default);
        var cutOff = new ImageClaimer(
            unreachable, worker.Queue, worker.Held, worker.Process, rig.Metrics.Metrics, Microsoft.Extensions.Logging.Abstractions.NullLogger<ImageClaimer>.Instance);

        Assert.Empty(await cutOff.ClaimAsync(3, default));
        Assert.Equal(0, await worker.Queue.CountAsync());

        await worker.MaintainAsync();
        Assert.Equal(3, (await worker.Claimer.ClaimAsync(3, default)).Count);
    }
}
