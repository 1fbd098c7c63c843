using System.Diagnostics;
using Darkroom.Data;
using Darkroom.Tests.EndToEnd;
using Darkroom.Tests.Infrastructure;
using Xunit.Abstractions;

namespace Darkroom.Tests.Faults;

/// <summary>F19: workers are replaced one after another under load, as in a deployment.</summary>
public sealed class RollingDeployTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Workers_that_are_replaced_leave_nothing_behind_and_fail_nothing()
    {
        await using var lab = await FaultLab.StartAsync(output, settings:
        [
            // A lease that outlives the test: what is not released at exit stays owned.
            ("Lease:Duration", "00:10:00"), ("Lease:Heartbeat", "00:00:01"),
            // Images that are held back must not time out, and are given up soon.
            ("Egress:Headers", "00:10:00"), ("Egress:Total", "00:30:00"), ("ImageWork:Stop", "00:00:02"),
        ]);
        var workers = new Queue<ServiceProcess>([lab.System.StartWorkerProcess(), lab.System.StartWorkerProcess()]);
        var (images, replacements) = LongRun.Or((60, 2), (800, 20));
        var requests = await lab.UploadAsync(images, heldBack: 4);
        for (var replacement = 1; replacement <= replacements; replacement++)
        {
            await requests[0].ReachAsync((images - 10) * replacement / (replacements + 1));
            workers.Enqueue(lab.System.StartWorkerProcess());
            var stopped = workers.Dequeue();
            var id = await IdOfAsync(lab, stopped);
            var clock = Stopwatch.StartNew();
            Assert.Equal(0, await stopped.StopAsync());
            Assert.InRange(clock.Elapsed, TimeSpan.Zero, Limit);
            output.WriteLine($"Worker {replacement} exited after {clock.Elapsed.TotalSeconds:0.0} s");
            Assert.Equal(0, await OwnedByAsync(lab, id));
        }

        lab.System.Images.OpenGate();
        await lab.CheckAsync(requests, $"{replacements} workers replaced", TimeSpan.FromMinutes(LongRun.Or(3, 10)));
        Assert.Equal(0, await lab.CountAsync("images where state = 'failed' and error_code <> 'not_found' or attempts > 1"));
        Assert.Equal(0, await lab.CountAsync("workflow_instances where attempts > 0"));
    }

    /// <summary>The id under which a worker makes its claims, once it has registered.</summary>
    private static async Task<Guid> IdOfAsync(FaultLab lab, ServiceProcess worker) =>
        (await Eventually.GetAsync(
            async () => await lab.System.Database.DataSource.Sql("select id from processes where pid = @pid and kind = 'worker'")
                .With("pid", worker.Id)
                .ExecuteScalarAsync() as Guid?,
            id => id is not null, "The worker has registered"))!.Value;

    private static async Task<long> OwnedByAsync(FaultLab lab, Guid process) =>
        (long)(await lab.System.Database.DataSource.Sql(
                """
                select (select count(*) from images where owner = @id and state = 'running')
                     + (select count(*) from workflow_instances where owner = @id)
                     + (select count(*) from webhook_deliveries where owner = @id)
                     + (select count(*) from processes where id = @id)
                """)
            .With("id", process)
            .ExecuteScalarAsync())!;
}
