using Darkroom.Data;
using Darkroom.Engine;
using Darkroom.Tests.EndToEnd;
using Darkroom.Tests.Infrastructure;
using Xunit.Abstractions;

namespace Darkroom.Tests.Faults;

/// <summary>F7: every process loses Postgres for longer than a lease, as in a failover or a broken network. Nobody has died of that.</summary>
public sealed class PostgresOutageTests(ITestOutputHelper output)
{
    private const string Lease = "2 s";

    /// <summary>More outages than a step has attempts, each with images and a workflow step in hand.</summary>
    [Fact]
    public async Task Outages_longer_than_a_lease_use_up_no_attempt()
    {
        await using var lab = await FaultLab.StartAsync(
            output, workers: 2, settings:
            [
                ("Lease:Duration", "00:00:02"), ("Lease:Heartbeat", "00:00:00.4"), ("Lease:Scan", "00:00:00.2"), ("Engine:Poll", "00:00:00.2"),
                // The steps are held in a request to S3.
                ("Storage:Try", "00:05:00"),
            ]);
        var requests = (await lab.UploadAsync(40, heldBack: 4)).ToList();
        await Eventually.TrueAsync(async () => await CountAsync(lab, "images where state not in ('running', 'succeeded', 'failed')") == 0);
        using var step = new HeldStep(lab.S3);
        var inStep = await lab.UploadAsync(2);
        requests.AddRange(inStep);
        await step.BeginsAsync(inStep.Count);

        var outages = LongRun.Or(new EngineOptions().MaxAttempts + 1, 30);
        for (var outage = 1; outage <= outages; outage++)
        {
            lab.Postgres.Down();
            await Eventually.TrueAsync(async () => await CountAsync(lab, $"processes where heartbeat_at > now() - interval '{Lease}'") == 0);
            var begun = step.Begun;
            lab.Postgres.Up();
            await step.BeginsAsync(begun + inStep.Count);
        }

        Assert.Equal(0, await CountAsync(lab, "workflow_instances where attempts > 0"));
        Assert.Equal(0, await CountAsync(lab, "images where attempts > 1"));
        step.Release();
        lab.System.Images.OpenGate();
        await lab.CheckAsync(requests, $"{outages} outages longer than a lease", TimeSpan.FromMinutes(2));
        Assert.Equal(0, await CountAsync(lab, "images where attempts > 1"));
    }

    private static async Task<long> CountAsync(FaultLab lab, string what) =>
        (long)(await lab.System.Database.DataSource.Sql($"select count(*) from {what}").ExecuteScalarAsync())!;

    /// <summary>Holds the steps that read an uploaded CSV.</summary>
    private sealed class HeldStep : IDisposable
    {
        private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _begun;

        public HeldStep(S3Proxy s3) => s3.Before = async request =>
        {
            if (request.Method == "GET" && request.Path.EndsWith("/input.csv", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref _begun);
                await _release.Task;
            }

            return FaultKind.None;
        };

        public int Begun => Volatile.Read(ref _begun);

        public Task BeginsAsync(int times) => Eventually.TrueAsync(() => Task.FromResult(Begun >= times));

        public void Release() => _release.TrySetResult();

        public void Dispose() => Release();
    }
}
