using Darkroom.Data;
using Darkroom.Engine.Bodies;
using Darkroom.Queue;
using Darkroom.Requests;
using Darkroom.Tests.Infrastructure;
using Darkroom.Uploads;

namespace Darkroom.Tests.Queue;

public sealed class ImageFeederTests
{
    [Fact]
    public async Task Only_requests_with_an_open_fan_out_are_fed()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        await rig.Request().WithImages(3).BeforeFanOut().BuildAsync();
        var cancelled = await rig.Request().WithImages(3).BuildAsync();
        await rig.SqlAsync($"update csv_data_table set status = 'cancelled', fan_out_open = false, finished_at = now() where id = '{cancelled.Id}'");

        Assert.Equal(new FeedResult(0, 0, 0), await worker.Feeder.FeedAsync(default));
        Assert.Equal(0, await worker.Queue.CountAsync());
    }

    [Fact]
    public async Task Redis_holds_a_bounded_share_of_a_large_request_and_is_refilled()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync(new QueueOptions { OfferedPerRequest = 100, FeedSlice = 40 });
        await rig.Request().WithImages(1_000).BuildAsync();

        while ((await worker.Feeder.FeedAsync(default)).Offered > 0)
        {
        }
        var queued = await worker.Queue.CountAsync();
        Assert.InRange(queued, 51, 100);

        await worker.Claimer.ClaimAsync(60, default);
        Assert.True((await worker.Feeder.FeedAsync(default)).Offered > 0);
    }

    [Fact]
    public async Task Feeders_racing_offer_each_image_once_and_no_more_than_allowed()
    {
        await using var rig = await QueueRig.StartAsync();
        var options = new QueueOptions { OfferedPerRequest = 100 };
        var workers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => rig.WorkerAsync(options)));
        var request = await rig.Request().WithImages(500).BuildAsync();

        await Task.WhenAll(workers.Select(w => w.Feeder.FeedAsync(default)));

        Assert.Equal(100, await workers[0].Queue.CountAsync());
        Assert.Equal(100, await rig.CountAsync(request.Id, "offered"));
    }

    [Fact]
    public async Task Image_to_be_retried_later_is_not_offered_before_then()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        await rig.Request().WithImages(1).BuildAsync();
        var image = Assert.Single(await worker.ClaimAsync(1));

        await worker.Recorder.RecordAsync(new ImageOutcome.RetryAt(image, TimeSpan.FromMinutes(10)), default);
        Assert.Equal(0, (await worker.Feeder.FeedAsync(default)).Offered);

        await rig.SqlAsync("update images set not_before = now()");
        var again = Assert.Single(await worker.ClaimAsync(1));
        Assert.Equal(2, again.Attempts);
    }

    [Fact]
    public async Task Requests_that_have_nothing_to_offer_now_leave_the_slice_to_others()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync(new QueueOptions { OfferedAtLeast = 5, FeedSlice = 5 });
        var requests = new List<BuiltRequest>();
        for (var i = 0; i < 9; i++)
            requests.Add(await rig.Request().WithImages(5).BuildAsync());
        var ready = requests[4].Id;
        await rig.SqlAsync($"update images set not_before = now() + interval '1 hour' where request_id <> '{ready}'");

        Assert.Equal(5, (await worker.Feeder.FeedAsync(default)).Offered);
        Assert.Equal(5, await rig.CountAsync(ready, "offered"));
    }

    [Fact]
    public async Task A_pass_does_not_read_the_images_that_it_does_not_offer()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync(new QueueOptions { OfferedPerRequest = 10, OfferedAtLeast = 1 });
        foreach (var images in (int[])[20_000, 1])
            await rig.Request().WithImages(images).BuildAsync();
        await rig.SqlAsync("vacuum analyze images");
        var before = await rig.Database.RowsReadAsync("images");

        Assert.Equal(11, (await worker.Feeder.FeedAsync(default)).Offered);

        Assert.InRange(await rig.Database.RowsReadAsync("images") - before, 11, 1_000);
    }

    [Fact]
    public async Task Feeding_survives_a_Redis_outage_and_offers_made_meanwhile_are_pushed_later()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        await worker.MaintainAsync();
        await rig.Redis.StopAsync();
        await rig.Request().WithImages(5).BuildAsync();

        Assert.Equal(5, (await worker.Feeder.FeedAsync(default)).Offered);
        Assert.Empty(await worker.Claimer.ClaimAsync(5, default));

        await rig.Redis.StartAsync();
        await Eventually.TrueAsync(async () => (await worker.MaintainAsync()).Rebuilt == 5);
        Assert.Equal(5, (await worker.Claimer.ClaimAsync(5, default)).Count);
    }

    [Fact]
    public async Task Withdrawn_request_is_removed_from_Redis()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        var request = await rig.Request().WithImages(5).BuildAsync();
        await worker.Feeder.FeedAsync(default);

        // Retried since it was announced.
        await worker.Feeder.WithdrawAsync(request.Id, default);
        Assert.Equal(5, await worker.Queue.CountAsync());

        await rig.SqlAsync("update csv_data_table set status = 'cancelled', fan_out_open = false, finished_at = now()");
        await worker.Feeder.WithdrawAsync(request.Id, default);
        Assert.Equal(0, await worker.Queue.CountAsync());
    }

    [Fact]
    public void Open_requests_share_equally_and_each_gets_something()
    {
        var options = new QueueOptions { OfferedOverall = 1_000, OfferedPerRequest = 600, OfferedAtLeast = 10, FeedSlice = 10_000 };
        Assert.Equal([600], Rooms(1, options));
        Assert.Equal([500, 500], Rooms(2, options));
        Assert.All(Rooms(500, options), room => Assert.Equal(10, room));
    }

    [Fact]
    public void Emptiest_request_is_fed_first_and_a_half_full_one_not_at_all()
    {
        var (full, low, empty) = (NewRequest(), NewRequest(), NewRequest());
        var shares = FeedShares.Compute(
            [new OpenRequest(default, full, 60, true), new OpenRequest(default, low, 30, true), new OpenRequest(default, empty, 0, true)],
            new QueueOptions { OfferedOverall = 300, OfferedPerRequest = 100, OfferedAtLeast = 80, FeedSlice = 120 });
        Assert.Equal([new FeedShare(empty, 80), new FeedShare(low, 40)], shares);
    }

    [Fact]
    public void An_owner_with_many_requests_gets_no_more_than_one_with_a_single_request()
    {
        var (many, one) = (new OwnerId(Guid.NewGuid()), new OwnerId(Guid.NewGuid()));
        var single = NewRequest();

        var shares = FeedShares.Compute(
            [.. Enumerable.Range(0, 9).Select(_ => new OpenRequest(many, NewRequest(), 0, true)), new OpenRequest(one, single, 0, true)],
            new QueueOptions { OfferedOverall = 1_800, OfferedPerRequest = 900, OfferedAtLeast = 10, FeedSlice = 10_000 });

        Assert.Equal(900, shares.Single(share => share.Id == single).Room);
        Assert.Equal(900, shares.Where(share => share.Id != single).Sum(share => share.Room));
        Assert.Contains(single, shares.Take(2).Select(share => share.Id));
    }

    private static IEnumerable<int> Rooms(int requests, QueueOptions options) =>
        FeedShares.Compute([.. Enumerable.Range(0, requests).Select(_ => new OpenRequest(default, NewRequest(), 0, true))], options).Select(s => s.Room);

    private static RequestId NewRequest() => new(Guid.NewGuid());
}
