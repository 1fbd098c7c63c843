using Darkroom.Engine.Bodies;
using Darkroom.Queue;
using Darkroom.Tests.Infrastructure;
using Npgsql;

namespace Darkroom.Tests.Queue;

public sealed class ImageRecorderTests
{
    [Fact]
    public async Task Parallel_recorders_lose_no_counter_update_and_resume_the_workflow_once()
    {
        await using var rig = await QueueRig.StartAsync();
        var options = new QueueOptions { RecordBatch = 7, RecordLinger = TimeSpan.Zero };
        var workers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => rig.WorkerAsync(options)));
        var request = await rig.Request().WithImages(400).BuildAsync();
        var claims = await workers[0].ClaimAsync(400);

        // Two recorders record every outcome at once: one of each pair changes the row, the other changes nothing.
        var results = await Task.WhenAll(claims.SelectMany((image, i) => new[]
        {
            workers[i % 4].Recorder.RecordAsync(Outcome(image), default),
            workers[(i + 1) % 4].Recorder.RecordAsync(Outcome(image), default),
        }));

        Assert.Equal(400, results.Count(r => r == RecordResult.Recorded));
        var (succeeded, failed, percentage, revision) = await rig.CountersAsync(request.Id);
        Assert.Equal((300, 100, 99), (succeeded, failed, percentage));
        Assert.Equal(300, await rig.CountAsync(request.Id, "succeeded"));
        Assert.Equal(100, await rig.CountAsync(request.Id, "failed"));
        Assert.Equal(revision, await rig.ReadAsync<long>("select max(revision) from images"));
        Assert.Equal((300_000L, 120_000L), (await rig.ReadAsync<long>("select bytes_in from csv_data_table"), await rig.ReadAsync<long>("select bytes_out from csv_data_table")));
        Assert.Equal(1, await rig.ResumptionsAsync(request));
        Assert.False(await rig.ReadAsync<bool>("select fan_out_open from csv_data_table"));

        static ImageOutcome Outcome(ClaimedImage image) => image.Row % 4 == 0 ? Outcomes.Failure(image) : Outcomes.Success(image);
    }

    [Fact]
    public async Task Only_the_last_outcome_resumes_the_workflow()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        var request = await rig.Request().WithImages(2).BuildAsync();
        var images = await worker.ClaimAsync(2);

        await worker.Recorder.RecordAsync(Outcomes.Failure(images[0]), default);
        Assert.Equal(0, await rig.ResumptionsAsync(request));

        await using var listening = await rig.Database.DataSource.OpenConnectionAsync();
        await using (var listen = new NpgsqlCommand("listen darkroom_instances", listening))
            await listen.ExecuteNonQueryAsync();
        await worker.Recorder.RecordAsync(Outcomes.Failure(images[1]), default);

        Assert.True(await listening.WaitAsync(Eventually.Patience));
        Assert.Equal(1, await rig.ResumptionsAsync(request));
        Assert.Equal("""{"failed": 2, "succeeded": 0}""", await rig.ReadAsync<string>("select input::text from resumptions"));
    }

    [Fact]
    public async Task Recording_does_not_read_the_other_images_of_the_request()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync(new QueueOptions { OfferedAtLeast = 1, OfferedPerRequest = 40 });
        for (var i = 0; i < 10; i++)
            await rig.Request().WithImages(500).BuildAsync();
        await worker.ClaimAsync(300);
        await rig.SqlAsync("vacuum analyze images");
        var large = await rig.Request().WithImages(20_000).BuildAsync();
        var images = (await worker.ClaimAsync(300)).Where(image => image.RequestId == large.Id).ToList();
        Assert.InRange(images.Count, 10, 40);
        var before = await rig.Database.RowsReadAsync("images");

        foreach (var image in images)
            await worker.Recorder.RecordAsync(Outcomes.Success(image), default);

        Assert.InRange(await rig.Database.RowsReadAsync("images") - before, images.Count, 4_000);
    }

    [Fact]
    public async Task Outcome_with_an_old_fence_changes_nothing()
    {
        await using var rig = await QueueRig.StartAsync();
        var (slow, quick) = (await rig.WorkerAsync(), await rig.WorkerAsync());
        var request = await rig.Request().WithImages(1).BuildAsync();
        var stale = Assert.Single(await slow.ClaimAsync(1));
        await rig.KillAsync(slow);
        await quick.MaintainAsync();
        var current = Assert.Single(await quick.ClaimAsync(1));
        var before = await rig.CountersAsync(request.Id);

        Assert.Equal(RecordResult.Superseded, await slow.Recorder.RecordAsync(Outcomes.Failure(stale), default));
        Assert.Equal(before, await rig.CountersAsync(request.Id));
        Assert.Equal("running", await rig.ImageStateAsync(stale.Id));

        Assert.Equal(RecordResult.Recorded, await quick.Recorder.RecordAsync(Outcomes.Success(current), default));
        Assert.Equal(RecordResult.Superseded, await slow.Recorder.RecordAsync(Outcomes.Failure(stale), default));
        Assert.Equal("succeeded", await rig.ImageStateAsync(stale.Id));
    }

    [Fact]
    public async Task Outcome_of_an_earlier_run_changes_nothing()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        var request = await rig.Request().WithImages(1).InRun(2).BuildAsync();
        var image = Assert.Single(await worker.ClaimAsync(1));

        Assert.Equal(RecordResult.Superseded, await worker.Recorder.RecordAsync(Outcomes.Success(image with { Run = 1 }), default));
        Assert.Equal((0, 0, 0, 1L), await rig.CountersAsync(request.Id));
    }

    [Fact]
    public async Task Outcome_that_arrives_after_the_cancellation_changes_nothing()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        var request = await rig.Request().WithImages(1).BuildAsync();
        var image = Assert.Single(await worker.ClaimAsync(1));
        await rig.SqlAsync("update csv_data_table set status = 'cancelled', fan_out_open = false, finished_at = now()");

        Assert.Equal(RecordResult.Superseded, await worker.Recorder.RecordAsync(Outcomes.Success(image), default));
        Assert.Equal((0, 0, 0, 1L), await rig.CountersAsync(request.Id));
        Assert.Equal(0, await rig.ResumptionsAsync(request));
    }

    [Fact]
    public async Task Outcome_that_the_database_rejects_fails_alone()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync(new QueueOptions { RecordLinger = TimeSpan.FromMilliseconds(200) });
        var request = await rig.Request().WithImages(50).BuildAsync();
        var other = await rig.Request().WithImages(10).BuildAsync();
        var images = await worker.ClaimAsync(60);
        var culprit = images.Single(i => i.Row == 31);

        // An output without a key breaks a constraint of the table.
        var results = await Task.WhenAll(images.Select(async image => (image.Row, Result: await worker.Recorder.RecordAsync(
            image == culprit ? Outcomes.Success(image) with { Output = Outcomes.Object(image, 1) with { Key = null! } } : Outcomes.Success(image),
            default))));

        Assert.Equal((31, RecordResult.Replaced), Assert.Single(results, r => r.Result != RecordResult.Recorded));
        Assert.Equal("record_failed", await rig.ReadAsync<string>($"select error_code from images where id = {culprit.Id}"));
        var (succeeded, failed, _, _) = await rig.CountersAsync(request.Id);
        Assert.Equal((49, 1), (succeeded, failed));
        Assert.Equal(1, await rig.ResumptionsAsync(request));
        Assert.Equal(10, (await rig.CountersAsync(other.Id)).Succeeded);
    }

    [Fact]
    public async Task Texts_that_Postgres_cannot_hold_are_recorded_without_the_offending_characters()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        await rig.Request().WithImages(2).BuildAsync();
        var images = await worker.ClaimAsync(2);
        const string journal = """{"step\u0000": ["a\u0000b", "half \ud800 pair", "\\u0000", 1.50, {"deep": "\u0000"}]}""";

        await worker.Recorder.RecordAsync(
            new ImageOutcome.Failed(images[0], "not_found", "U+0000: \0, half a pair: \ud800, whole: \U0001F4F7.", journal), default);
        await worker.Recorder.RecordAsync(new ImageOutcome.Failed(images[1], "not_found", "", "not JSON at all"), default);

        Assert.Equal(
            "U+0000: , half a pair: \uFFFD, whole: \U0001F4F7.",
            await rig.ReadAsync<string>($"select error_message from images where id = {images[0].Id}"));
        Assert.Equal(
            """{"step": ["ab", "�", "\\u0000", 1.50, {"deep": ""}]}""",
            await rig.ReadAsync<string>($"select journal::text from images where id = {images[0].Id}"));
        Assert.True(await rig.ReadAsync<bool>($"select journal is null from images where id = {images[1].Id}"));
    }

    [Fact]
    public async Task Retry_frees_the_slot_and_counts_nothing()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        var request = await rig.Request().WithImages(1).BuildAsync();
        var image = Assert.Single(await worker.ClaimAsync(1));

        Assert.Equal(RecordResult.Recorded, await worker.Recorder.RecordAsync(new ImageOutcome.RetryAt(image, TimeSpan.FromSeconds(90)), default));

        Assert.Equal((0, 0, 0, 2L), await rig.CountersAsync(request.Id));
        Assert.Equal("waiting", await rig.ImageStateAsync(image.Id));
        Assert.Equal(90, await rig.ReadAsync<double>("select extract(epoch from not_before - now())::float8 from images"), 20.0);
        Assert.Equal(0, worker.Held.Count);
    }

    [Fact]
    public async Task Percentage_never_falls_and_stays_below_100_until_the_end()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync(new QueueOptions { RecordLinger = TimeSpan.Zero });
        var request = await rig.Request().WithImages(7).BuildAsync();
        var seen = new List<int>();
        foreach (var image in await worker.ClaimAsync(7))
        {
            await worker.Recorder.RecordAsync(Outcomes.Success(image), default);
            seen.Add((await rig.CountersAsync(request.Id)).Percentage);
        }

        Assert.Equal([14, 28, 42, 57, 71, 85, 99], seen);
    }

    [Fact]
    public async Task Killed_connections_lose_nothing_and_duplicate_nothing()
    {
        await using var rig = await QueueRig.StartAsync();
        var fragile = new NpgsqlDataSourceBuilder(rig.Database.ConnectionString) { ConnectionStringBuilder = { ApplicationName = "fragile" } };
        await using var database = fragile.Build();
        var claimer = await rig.WorkerAsync();
        var recorder = await rig.WorkerAsync(new QueueOptions { RecordBatch = 5, RecordLinger = TimeSpan.Zero }, database);
        var request = await rig.Request().WithImages(300).BuildAsync();
        var images = await claimer.ClaimAsync(300);

        var recording = Task.WhenAll(images.Select(i => recorder.Recorder.RecordAsync(Outcomes.Success(i), default)));
        for (var kill = 0; kill < 20 && !recording.IsCompleted; kill++)
        {
            await rig.SqlAsync(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'fragile' and datname = current_database()");
            await Task.WhenAny(recording, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System));
        }

        await recording.WaitAsync(Eventually.Patience);
        Assert.Equal(300, (await rig.CountersAsync(request.Id)).Succeeded);
        Assert.Equal(300, await rig.CountAsync(request.Id, "succeeded"));
        Assert.Equal(1, await rig.ResumptionsAsync(request));
    }

    [Fact]
    public async Task Draining_waits_until_all_queued_outcomes_are_durable()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync(new QueueOptions { RecordLinger = TimeSpan.FromMilliseconds(100) });
        var request = await rig.Request().WithImages(20).BuildAsync();
        var recording = (await worker.ClaimAsync(20)).Select(i => worker.Recorder.RecordAsync(Outcomes.Success(i), default)).ToList();

        await worker.Recorder.DrainAsync(default);

        Assert.Equal(20, (await rig.CountersAsync(request.Id)).Succeeded);
        await Task.WhenAll(recording);
    }

    [Fact]
    public async Task Handing_in_does_not_wait_for_the_database_and_draining_does()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync();
        var request = await rig.Request().WithImages(20).BuildAsync();
        var images = await worker.ClaimAsync(20);

        await using (var connection = await rig.Database.DataSource.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await using (var hold = new NpgsqlCommand("select 1 from csv_data_table for update", connection))
                await hold.ExecuteNonQueryAsync();
            foreach (var image in images)
                await worker.Recorder.EnqueueAsync(Outcomes.Success(image), default).WaitAsync(Eventually.Patience);
            Assert.Equal(20, await rig.CountAsync(request.Id, "running"));
        }

        await worker.Recorder.DrainAsync(default);

        Assert.Equal(20, (await rig.CountersAsync(request.Id)).Succeeded);
    }

    [Fact]
    public async Task Outcomes_of_one_request_share_transactions()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync(new QueueOptions { RecordLinger = TimeSpan.FromMilliseconds(200), RecordBatch = 100 });
        var request = await rig.Request().WithImages(100).BuildAsync();
        var images = await worker.ClaimAsync(100);

        await Task.WhenAll(images.Select(i => worker.Recorder.RecordAsync(Outcomes.Success(i), default)));

        Assert.InRange((await rig.CountersAsync(request.Id)).Revision, 2, 4);
    }

    [Fact]
    public async Task Outcomes_of_many_requests_share_transactions()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync(new QueueOptions { RecordLinger = TimeSpan.FromMilliseconds(200), RecordBatch = 100 });
        var requests = new List<BuiltRequest>();
        for (var i = 0; i < 30; i++)
            requests.Add(await rig.Request().WithImages(2).BuildAsync());
        var images = await worker.ClaimAsync(60);

        var results = await Task.WhenAll(images.Select(i => worker.Recorder.RecordAsync(i.Row == 1 ? Outcomes.Success(i) : Outcomes.Failure(i), default)));

        Assert.All(results, result => Assert.Equal(RecordResult.Recorded, result));
        Assert.InRange(await rig.ReadAsync<long>("select count(distinct xmin::text) from csv_data_table"), 1, 4);
        foreach (var request in requests)
        {
            var (succeeded, failed, percentage, _) = await rig.CountersAsync(request.Id);
            Assert.Equal((1, 1, 99), (succeeded, failed, percentage));
            Assert.Equal(1, await rig.ResumptionsAsync(request));
        }
    }

    [Fact]
    public async Task A_locked_request_does_not_hold_up_the_outcomes_of_others()
    {
        await using var rig = await QueueRig.StartAsync();
        var worker = await rig.WorkerAsync(new QueueOptions { RecordLinger = TimeSpan.FromMilliseconds(200) });
        var (locked, free) = (await rig.Request().WithImages(1).BuildAsync(), await rig.Request().WithImages(2).BuildAsync());
        var images = (await worker.ClaimAsync(3)).ToLookup(image => image.RequestId);
        Task<RecordResult> blocked;

        await using (var connection = await rig.Database.DataSource.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await using (var hold = new NpgsqlCommand($"select 1 from csv_data_table where id = '{locked.Id}' for update", connection))
                await hold.ExecuteNonQueryAsync();
            blocked = worker.Recorder.RecordAsync(Outcomes.Success(images[locked.Id].Single()), default);
            foreach (var image in images[free.Id])
                Assert.Equal(RecordResult.Recorded, await worker.Recorder.RecordAsync(Outcomes.Success(image), default).WaitAsync(Eventually.Patience));
            Assert.False(blocked.IsCompleted);
        }

        Assert.Equal(RecordResult.Recorded, await blocked);
        Assert.Equal(1, await rig.ResumptionsAsync(locked));
    }
}
