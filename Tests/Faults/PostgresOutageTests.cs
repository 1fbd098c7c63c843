using Darkroom.Data;
using Darkroom.Tests.EndToEnd;
using Darkroom.Tests.Infrastructure;
using Xunit.Abstractions;

namespace Darkroom.Tests.Faults;

/// <summary>F7: every process loses Postgres for longer than a lease, as in a failover or a broken network. Nobody has died of that.</summary>
public sealed class PostgresOutageTests(ITestOutputHelper output)
{
    private const string Fresh = "heartbeat_at > now() - interval '4 s'";

    /// <summary>
    /// More outages than a step may have attempts, each with images and workflow steps in hand. Each ends for one worker before the other,
    /// which then finds the other's heartbeat older than the lease.
    /// </summary>
    [Fact]
    public async Task Outages_longer_than_a_lease_use_up_no_attempt()
    {
        const int attempts = 1;
        await using var lab = await FaultLab.StartAsync(output, settings:
        [
            ("Lease:Duration", "00:00:04"), ("Lease:Heartbeat", "00:00:00.5"), ("Lease:Scan", "00:00:00.2"), ("Engine:Poll", "00:00:00.2"),
            ("Engine:MaxAttempts", $"{attempts}"),
            // The steps are held in a request to S3.
            ("Storage:Try", "00:05:00"),
            // Images that are held back must not time out.
            ("Egress:Headers", "00:10:00"), ("Egress:Total", "00:30:00"),
        ]);
        await lab.System.StartWorkerAsync();
        await using var other = new PostgresRelay(lab.System.Database.ConnectionString);
        lab.System.Settings["ConnectionStrings:darkroom"] =
            lab.System.Settings["ConnectionStrings:darkroom"].Replace($"Port={lab.Postgres.Port}", $"Port={other.Port}", StringComparison.Ordinal);
        await lab.System.StartWorkerAsync();
        var requests = (await lab.UploadAsync(40, heldBack: 4)).ToList();
        await Eventually.TrueAsync(async () => await lab.CountAsync("images where state not in ('running', 'succeeded', 'failed')") == 0);
        using var step = new HeldStep(lab.S3);
        var inStep = await lab.UploadAsync(2);
        requests.AddRange(inStep);
        await step.BeginsAsync(inStep.Count);

        var outages = LongRun.Or(attempts + 1, 20);
        for (var outage = 1; outage <= outages; outage++)
        {
            PostgresRelay[] relays = outage % 2 == 0 ? [lab.Postgres, other] : [other, lab.Postgres];
            foreach (var relay in relays)
                relay.Down();
            await Eventually.TrueAsync(async () => await lab.CountAsync($"processes where {Fresh}") == 0);
            var begun = step.Begun;
            relays[0].Up();
            // It has polled for work since.
            await Eventually.TrueAsync(async () => await lab.CountAsync($"processes where heartbeat_at > started_at and {Fresh}") > 0);
            relays[1].Up();
            await step.BeginsAsync(begun + inStep.Count);
            Assert.Equal(0, await lab.CountAsync("workflow_instances where attempts > 0"));
        }

        step.Release();
        lab.System.Images.OpenGate();
        await lab.CheckAsync(requests, $"{outages} outages longer than a lease", TimeSpan.FromMinutes(2));
        Assert.Equal(0, await lab.CountAsync("images where attempts > 1"));
        Assert.Equal(0, await lab.CountAsync("images where state = 'failed' and error_code <> 'not_found'"));
    }

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
