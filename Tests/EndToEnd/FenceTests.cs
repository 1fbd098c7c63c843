using System.Security.Cryptography;
using Darkroom.Data;
using Darkroom.Tests.Infrastructure;
using Npgsql;

namespace Darkroom.Tests.EndToEnd;

/// <summary>Guarantee 2: an image may be processed twice, but its result is recorded once and never changes afterwards.</summary>
public sealed class FenceTests
{
    [Fact]
    public async Task A_worker_paused_past_its_lease_changes_nothing_when_it_resumes()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 0);
        var paused = system.StartWorkerProcess();
        var run = await LargeRun.StartAsync(system);
        await run.ReachAsync(100);

        await paused.PauseAsync();
        var held = await RunningAsync(system);
        var other = system.StartWorkerProcess();
        await Eventually.GetAsync(
            async () => (await RunningAsync(system)).Intersect(held).Count(), still => still == 0, "What the paused worker had in hand is taken from it");
        await paused.ResumeAsync();

        await run.CheckAsync(system);
        GC.KeepAlive(other);
    }

    [Fact]
    public async Task A_late_writer_with_other_bytes_cannot_change_a_recorded_object()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 0);
        var paused = system.StartWorkerProcess();
        var late = new StalledRecorder(system);
        var request = await system.Client.UploadAsync(ProductCsv.Of([system.Images.Changing(1)]));
        await late.StallAsync(request);
        // The object is stored; recording it waits for the row that the test has locked.
        await late.WaitsAsync();
        await paused.PauseAsync();
        await late.ReleaseAsync(commit: false);

        system.StartWorkerProcess();
        await request.EndAsync();
        var recorded = await ReadObjectAsync(system, request);
        await paused.ResumeAsync();
        Assert.Equal(0, await paused.StopAsync());

        Assert.Equal(recorded, await ReadObjectAsync(system, request));
        Assert.InRange(system.Images.Requests["/changing/1.jpg"], 2, await ClaimsAsync(system, request));
        var status = await request.StatusAsync();
        Assert.Equal("completed", status.GetProperty("status").GetString());
        Assert.Equal(1, status.GetProperty("images").GetProperty("succeeded").GetInt32());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_worker_may_die_between_storing_an_object_and_recording_it(bool recordedAllTheSame)
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 0);
        var dying = system.StartWorkerProcess();
        var recorder = new StalledRecorder(system);
        var request = await system.Client.UploadAsync(ProductCsv.Of([system.Images.Changing(1)]), system.Webhooks.Url);
        await recorder.StallAsync(request);
        await recorder.WaitsAsync();

        await dying.KillAsync();
        await recorder.ReleaseAsync(recordedAllTheSame);
        system.StartWorkerProcess();

        var end = await request.EndAsync();
        Assert.Equal("completed", end.GetProperty("status").GetString());
        await ReadObjectAsync(system, request);
        // What was recorded is never done again. What was not is done again, and more than once only if a slow machine costs a worker its lease.
        Assert.InRange(
            system.Images.Requests["/changing/1.jpg"], recordedAllTheSame ? 1 : 2, recordedAllTheSame ? 1 : await ClaimsAsync(system, request));
        await system.Webhooks.NextAsync();
        Assert.Single(system.Webhooks.All.Select(webhook => webhook.Id).Distinct());
    }

    private static async Task<HashSet<long>> RunningAsync(DarkroomSystem system)
    {
        // The fence distinguishes successive claims of the same image.
        await using var command = system.Database.DataSource.Sql("select id * 1000 + fence from images where state = 'running'");
        await using var reader = await command.ExecuteReaderAsync();
        var running = new HashSet<long>();
        while (await reader.ReadAsync())
            running.Add(reader.GetInt64(0));
        return running;
    }

    /// <summary>How often the only image was claimed, which is its fence.</summary>
    private static async Task<int> ClaimsAsync(DarkroomSystem system, SubmittedRequest request) =>
        (int)(await system.Database.DataSource.Sql("select fence::int from images where request_id = @id")
            .With("id", Guid.Parse(request.Id))
            .ExecuteScalarAsync())!;

    /// <summary>Key and digest of the only image's object, after checking that the stored bytes match the recorded digest.</summary>
    private static async Task<(string Key, string Digest)> ReadObjectAsync(DarkroomSystem system, SubmittedRequest request)
    {
        await using var command = system.Database.DataSource.Sql("select output_key, output_sha256 from images where request_id = @id")
            .With("id", Guid.Parse(request.Id));
        await using var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        await using var content = await system.S3.CreateStore().OpenReadAsync(reader.GetString(0), default);
        var digest = Convert.ToHexString(await SHA256.HashDataAsync(content));
        Assert.Equal(Convert.ToHexString(reader.GetFieldValue<byte[]>(1)), digest);
        return (reader.GetString(0), digest);
    }
}
