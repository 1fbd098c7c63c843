using System.Collections.Concurrent;
using System.Diagnostics;
using Darkroom.Data;
using Darkroom.Tests.EndToEnd;
using Darkroom.Tests.Infrastructure;
using Xunit.Abstractions;

namespace Darkroom.Tests.Faults;

/// <summary>
/// F1: a worker is killed every three seconds or, where starts take longer, as soon as all have started; what it had in hand is soon claimed by
/// another, and little is done twice.
/// </summary>
public sealed class KillTests(ITestOutputHelper output)
{
    private const int Workers = 3;

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(3);
    private static readonly int Kills = LongRun.Or(3, 20);

    /// <summary>
    /// So that only a kill makes an image run twice: a slow machine ends neither a lease nor a call to S3. Few images are queued, so that
    /// those of the dead are claimed as soon as they are offered again.
    /// </summary>
    private static readonly (string, string)[] Settings =
        [("Lease:Duration", "00:00:10"), ("Lease:Heartbeat", "00:00:01"), ("Storage:Try", "00:01:00"), ("Queue:OfferedPerRequest", "50")];

    [Theory]
    [Seeds(1)]
    public async Task A_worker_is_killed_every_three_seconds(int seed)
    {
        var random = new Random(seed);
        await using var lab = await FaultLab.StartAsync(output, settings: Settings);
        var stored = new ConcurrentDictionary<string, int>();
        lab.S3.Before = request =>
        {
            if (request.IsImage || request.IsOriginal)
                stored.AddOrUpdate(request.IsImage ? "images" : "originals", 1, (_, count) => count + 1);
            return Task.FromResult(FaultKind.None);
        };
        var workers = Enumerable.Range(0, Workers).Select(_ => lab.System.StartWorkerProcess()).ToList();
        var requests = await lab.UploadAsync(LongRun.Or(200, 8_000), heldBack: 4);
        stored.Clear();
        await requests[0].ReachAsync(10);
        var usual = LongRun.IsOn ? await RateAsync(lab) : 0;
        var inHand = new List<Held>();

        for (var kill = 0; kill < Kills; kill++)
        {
            var at = random.Next(workers.Count);
            await workers[at].KillAsync();
            inHand.AddRange(await HeldByAsync(lab, workers[at].Id, kill));
            workers[at] = lab.System.StartWorkerProcess();
            await WatchAsync(lab, inHand, Every);
            // On a busy machine a start takes longer than that. What has not started has nothing to lose, and nobody would be left to claim it.
            await Eventually.GetAsync(
                async () =>
                {
                    await WatchAsync(lab, inHand, TimeSpan.Zero);
                    return await StartedAsync(lab, workers);
                },
                started => started == Workers,
                "Every worker has started");
        }

        var watching = WatchAsync(lab, inHand, TimeSpan.FromSeconds(60), untilClaimed: true);
        var recovery = LongRun.IsOn ? await ReturnAsync(lab, usual) : "";
        lab.System.Images.OpenGate();
        var context = $"Seed {seed} (repeat it with DARKROOM_FAULT_SEED={seed}), {Kills} kills, {inHand.Count} images in hand";
        await lab.CheckAsync(requests, context, TimeSpan.FromMinutes(LongRun.Or(3, 10)));
        await watching;

        // Each claim stores an original and an image at most once.
        await using var command = lab.System.Database.DataSource.Sql(
            "select count(*) filter (where state = 'succeeded'), (sum(fence) - count(*))::bigint from images");
        await using var counts = await command.ExecuteReaderAsync();
        await counts.ReadAsync();
        var (succeeded, claimedAgain) = (counts.GetInt64(0), counts.GetInt64(1));
        var (images, originals) = (stored["images"] - succeeded, stored["originals"] - succeeded);
        var longest = inHand.MaxBy(held => held.Waited)!;
        output.WriteLine(
            $"{context}: the longest wait for another claim {longest}; " +
            $"{claimedAgain} images claimed again; objects stored again: {images} images, {originals} originals{recovery}");
        Assert.All(inHand, held => Assert.True(held.Waited is not null, $"Image {held.Image} was not claimed again after fence {held.Fence}: {held}"));
        Assert.All(inHand, held => Assert.True(held.Waited <= TimeSpan.FromSeconds(45), $"Image {held.Image} waited too long: {held}"));
        Assert.InRange(images, 0, claimedAgain);
        Assert.InRange(originals, 0, claimedAgain);
    }

    private static async Task<long> StartedAsync(FaultLab lab, IEnumerable<ServiceProcess> workers) =>
        (long)(await lab.System.Database.DataSource.Sql("select count(*) from processes where pid = any(@pids)")
            .With("pids", workers.Select(worker => worker.Id).ToArray())
            .ExecuteScalarAsync())!;

    /// <summary>What a dead worker was working on.</summary>
    private static async Task<List<Held>> HeldByAsync(FaultLab lab, int pid, int kill)
    {
        await using var command = lab.System.Database.DataSource.Sql(
                """
                select i.id, i.fence
                from images i
                join processes p on p.id = i.owner
                where p.pid = @pid
                  and i.state = 'running'
                """)
            .With("pid", pid);
        await using var reader = await command.ExecuteReaderAsync();
        var held = new List<Held>();
        while (await reader.ReadAsync())
            held.Add(new Held(reader.GetInt64(0), reader.GetInt64(1), kill));
        return held;
    }

    /// <summary>
    /// Notes when others claim what the dead had in hand, for so long. An image may also end by the last statement of the dead, which the server
    /// executes even if nobody waits for its result.
    /// </summary>
    private static async Task WatchAsync(FaultLab lab, List<Held> inHand, TimeSpan duration, bool untilClaimed = false)
    {
        var clock = Stopwatch.StartNew();
        do
        {
            await using (var command = lab.System.Database.DataSource.Sql("select id, fence, state::text from images where id = any(@ids)")
                .With("ids", inHand.Where(held => held.Waited is null).Select(held => held.Image).ToArray()))
            await using (var reader = await command.ExecuteReaderAsync())
                while (await reader.ReadAsync())
                    foreach (var held in inHand.Where(held => held.Image == reader.GetInt64(0)))
                        held.See(reader.GetInt64(1), reader.GetString(2));
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
        while (clock.Elapsed < duration && (!untilClaimed || inHand.Any(held => held.Waited is null)));
    }

    /// <summary>Images per second, over ten seconds.</summary>
    private static async Task<double> RateAsync(FaultLab lab)
    {
        var (clock, before) = (Stopwatch.StartNew(), await lab.EndedAsync());
        await Task.Delay(TimeSpan.FromSeconds(10), TimeProvider.System);
        return (await lab.EndedAsync() - before) / clock.Elapsed.TotalSeconds;
    }

    /// <summary>How long it takes until images end as fast as before; a figure only, because a machine has other work too.</summary>
    private static async Task<string> ReturnAsync(FaultLab lab, double usual)
    {
        var (clock, rate) = (Stopwatch.StartNew(), 0.0);
        while (rate < 0.9 * usual && clock.Elapsed < TimeSpan.FromSeconds(60))
            rate = await RateAsync(lab);
        return $"; {usual:0} images/s before, {rate:0} images/s {clock.Elapsed.TotalSeconds:0} s after the last kill";
    }

    /// <summary>An image that a worker was working on when it was killed.</summary>
    private sealed class Held(long image, long fence, int kill)
    {
        private readonly Stopwatch _clock = Stopwatch.StartNew();
        private readonly List<(string State, TimeSpan At)> _seen = [];

        public long Image => image;

        public long Fence => fence;

        /// <summary>Until another worker claimed it, or it had ended. Null: not yet.</summary>
        public TimeSpan? Waited { get; private set; }

        public void See(long latest, string state)
        {
            if (Waited is not null)
                return;
            if (_seen.Count == 0 || _seen[^1].State != state)
                _seen.Add((state, _clock.Elapsed));
            if (latest > fence || state is "succeeded" or "failed")
                Waited = _clock.Elapsed;
        }

        public override string ToString() =>
            $"{Waited?.TotalSeconds:0.0} s, of kill {kill}, {string.Join(", ", _seen.Select(seen => $"{seen.State} from {seen.At.TotalSeconds:0.0} s"))}";
    }
}
