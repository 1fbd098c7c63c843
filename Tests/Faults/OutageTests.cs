using System.Diagnostics;
using Darkroom.Data;
using Darkroom.Tests.EndToEnd;
using Darkroom.Tests.Infrastructure;
using Xunit.Abstractions;

namespace Darkroom.Tests.Faults;

/// <summary>F6, F7: what callers notice while Redis or Postgres is away, and how soon work goes on.</summary>
public sealed class OutageTests(ITestOutputHelper output)
{
    /// <summary>Two seconds and ten on an idle machine; see the figures.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task While_Redis_is_down_uploads_are_accepted_or_refused_at_once_and_none_is_lost()
    {
        await using var lab = await FaultLab.StartAsync(output, workers: 2);
        var requests = new List<SubmittedRequest>(await lab.UploadAsync(40));
        var (refused, slowest, outage) = (0, TimeSpan.Zero, Stopwatch.StartNew());

        await lab.System.Redis.StopAsync();
        while (outage.Elapsed < LongRun.Or(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(60)))
        {
            var call = Stopwatch.StartNew();
            var request = await lab.System.Client.TryUploadAsync(lab.CsvOf(4));
            slowest = call.Elapsed > slowest ? call.Elapsed : slowest;
            if (request is null)
                refused++;
            else
                requests.Add(request);
            await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System);
        }

        await lab.System.Redis.StartAsync();

        await lab.CheckAsync(requests, $"Redis down, {requests.Count} uploads accepted, {refused} refused", TimeSpan.FromMinutes(3));
        output.WriteLine($"Slowest answer {slowest.TotalSeconds:0.00} s");
        Assert.True(requests.Count > 2, "No upload was accepted.");
        Assert.InRange(slowest, TimeSpan.Zero, Patience);
    }

    [Fact]
    public async Task Work_goes_on_soon_after_Redis_is_flushed()
    {
        await using var lab = await FaultLab.StartAsync(output, workers: 2);
        // So many that a busy machine, which notices late how far they are, still finds some to queue again.
        var requests = await lab.UploadAsync(1_000, heldBack: 4);
        var delays = new List<TimeSpan>();

        for (var flush = 1; flush <= 3; flush++)
        {
            await requests[0].ReachAsync(flush * LongRun.Or(50, 250));
            await lab.System.Redis.FlushAsync();
            var clock = Stopwatch.StartNew();
            // What is in hand ends without Redis.
            var inHand = await lab.System.Database.DataSource.Sql("select count(*) from images where state = 'running'").ExecuteScalarAsync();
            var before = await lab.EndedAsync();
            await Eventually.GetAsync(lab.EndedAsync, ended => ended > before + (long)inHand!, "Images end that were queued again");
            delays.Add(clock.Elapsed);
        }

        lab.System.Images.OpenGate();
        await lab.CheckAsync(requests, "Redis flushed three times", TimeSpan.FromMinutes(LongRun.Or(3, 10)));
        output.WriteLine($"Delays until images ended that were queued again: {string.Join(", ", delays.Select(delay => $"{delay.TotalSeconds:0.0} s"))}");
        Assert.InRange(delays.Max(), TimeSpan.Zero, Patience);
    }

    [Fact]
    public async Task While_Postgres_restarts_the_API_answers_503_and_soon_recovers()
    {
        await using var postgres = await RestartablePostgres.StartAsync();
        await using var lab = await FaultLab.StartAsync(output, workers: 2, postgres: postgres.ConnectionString);
        var requests = await lab.UploadAsync(LongRun.Or(150, 1_000), heldBack: 4);
        var worst = TimeSpan.Zero;

        for (var restart = 1; restart <= LongRun.Or(1, 5); restart++)
        {
            await requests[0].ReachAsync(restart * LongRun.Or(50, 150));
            var restarting = postgres.RestartAsync();
            while (!restarting.IsCompleted)
                await requests[0].IsAvailableAsync();
            await restarting;
            var back = Stopwatch.StartNew();
            await Eventually.GetAsync(requests[0].IsAvailableAsync, available => available, "The API answers again");
            worst = back.Elapsed > worst ? back.Elapsed : worst;
            // Not only one lucky connection.
            for (var call = 0; call < 20; call++)
                if (!await requests[0].IsAvailableAsync())
                    worst = back.Elapsed > worst ? back.Elapsed : worst;
        }

        lab.System.Images.OpenGate();
        await lab.CheckAsync(requests, $"Postgres restarted {LongRun.Or(1, 5)} times", TimeSpan.FromMinutes(LongRun.Or(3, 10)));
        output.WriteLine($"The last 503 came at most {worst.TotalSeconds:0.0} s after the database was back");
        Assert.InRange(worst, TimeSpan.Zero, Patience);
    }
}
