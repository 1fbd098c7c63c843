using Darkroom.Queue;
using Darkroom.Tests.Infrastructure;
using Npgsql;

namespace Darkroom.Tests.Queue;

public sealed class FanOutTests
{
    [Fact]
    public async Task Images_become_claimable_only_when_the_opening_commits()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        var request = await rig.Request().WithImages(4).BeforeFanOut().BuildAsync();

        await using var connection = await rig.Database.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        Assert.Equal(4, (await FanOut.OpenAsync(connection, request.Id, run: 1)).Pending);
        Assert.Equal(0, (await worker.Feeder.FeedAsync(default)).Offered);

        await transaction.CommitAsync();
        Assert.Equal(4, (await worker.Feeder.FeedAsync(default)).Offered);
    }

    [Fact]
    public async Task The_first_images_are_offered_as_it_opens_and_the_feeder_offers_the_others()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        var request = await rig.Request().WithImages(5).BeforeFanOut().BuildAsync();

        await using var connection = await rig.Database.DataSource.OpenConnectionAsync();
        var opened = await FanOut.OpenAsync(connection, request.Id, run: 1, offered: 3);
        await worker.Feeder.PushAsync(opened.Offers);

        Assert.Equal((5, 3), (opened.Pending, opened.Offers.Count));
        Assert.Equal(3, await worker.Queue.CountAsync());
        Assert.Equal([1, 2, 3], (await worker.Claimer.ClaimAsync(5, default)).Select(image => image.Row));
        Assert.Equal(2, (await worker.Feeder.FeedAsync(default)).Offered);
    }

    [Fact]
    public async Task A_plan_that_holds_for_every_request_reads_little_for_a_small_one()
    {
        await using var rig = await QueueRig.StartAsync();
        await rig.Request().WithImages(20_000).BuildAsync();
        var small = await rig.Request().WithImages(1).BeforeFanOut().BuildAsync();
        await rig.SqlAsync("vacuum analyze images");
        var before = await rig.Database.RowsReadAsync("images");

        const string prepared = ";Max Auto Prepare=10;Auto Prepare Min Usages=1;Options=-c plan_cache_mode=force_generic_plan";
        await using (var database = NpgsqlDataSource.Create(rig.Database.ConnectionString + prepared))
        await using (var connection = await database.OpenConnectionAsync())
            Assert.Single((await FanOut.OpenAsync(connection, small.Id, run: 1, offered: 32)).Offers);

        Assert.InRange(await rig.Database.RowsReadAsync("images") - before, 1, 1_000);
    }

    [Fact]
    public async Task Opening_with_nothing_pending_opens_nothing()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        var request = await rig.Request().WithImages(1).BuildAsync();
        await worker.Recorder.RecordAsync(Outcomes.Success(Assert.Single(await worker.ClaimAsync(1))), default);

        await using var connection = await rig.Database.DataSource.OpenConnectionAsync();
        Assert.Equal(0, (await FanOut.OpenAsync(connection, request.Id, run: 1)).Pending);
        Assert.False(await rig.ReadAsync<bool>("select fan_out_open from csv_data_table"));
    }

    [Fact]
    public async Task Opening_a_fan_out_that_could_never_end_is_refused()
    {
        await using var rig = await QueueRig.StartAsync();
        var request = await rig.Request().WithImages(3).BeforeFanOut().BuildAsync();
        await rig.SqlAsync("delete from images where row = 2");

        await using var connection = await rig.Database.DataSource.OpenConnectionAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => FanOut.OpenAsync(connection, request.Id, run: 1));
        await Assert.ThrowsAsync<InvalidOperationException>(() => FanOut.OpenAsync(connection, request.Id, run: 2));
    }

    [Fact]
    public async Task Failed_images_of_one_run_are_claimed_in_the_next()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        var request = await rig.Request().WithImages(2).BuildAsync();
        var images = await worker.ClaimAsync(2);
        await worker.Recorder.RecordAsync(Outcomes.Success(images[0]), default);
        await worker.Recorder.RecordAsync(Outcomes.Failure(images[1]), default);
        // What a retry does.
        await rig.SqlAsync(
            """
            update images set state = 'waiting', error_code = null, error_message = null, finished_at = null where state = 'failed';
            update csv_data_table set run = 2, images_failed = 0;
            update workflow_instances set run = 2
            """);

        await using (var connection = await rig.Database.DataSource.OpenConnectionAsync())
            Assert.Equal(1, (await FanOut.OpenAsync(connection, request.Id, run: 2)).Pending);
        var again = Assert.Single(await worker.ClaimAsync(1));
        Assert.Equal((images[1].Id, 2), (again.Id, again.Run));
        Assert.Equal(RecordResult.Recorded, await worker.Recorder.RecordAsync(Outcomes.Success(again), default));
        var (succeeded, failed, _, _) = await rig.CountersAsync(request.Id);
        Assert.Equal((2, 0), (succeeded, failed));
    }
}
