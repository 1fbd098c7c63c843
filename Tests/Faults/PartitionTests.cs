using System.Diagnostics;
using Darkroom.Tests.EndToEnd;
using Darkroom.Tests.Infrastructure;
using Xunit.Abstractions;

namespace Darkroom.Tests.Faults;

/// <summary>
/// One host is cut off from another, in one direction or both, while two owners' requests run. Nothing is refused or reset: packets are
/// lost, so only a time-out can tell.
/// </summary>
public sealed class PartitionTests(ITestOutputHelper output)
{
    private static readonly int Cuts = LongRun.Or(3, 5);

    /// <summary>Past the lease of three seconds.</summary>
    private static readonly TimeSpan Duration = LongRun.Or(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(60));

    /// <summary>From the end of a cut until the host that was cut off works again.</summary>
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(120);

    [Theory]
    [Seeds(1, OnNamespaces = true)]
    public async Task Requests_survive_hosts_that_are_cut_off_from_each_other(int seed)
    {
        // With the product's own time-outs in the long run.
        (string, string)[] timeouts = LongRun.IsOn ? [("Storage:Try", "00:00:10")] : [];
        await using var lab = await FaultLab.StartAsync(output, settings: [.. HostsApart.Settings, .. timeouts]);
        if (LongRun.IsOn)
            lab.System.Settings["ConnectionStrings:darkroom"] = lab.System.Database.ConnectionString;
        await using var hosts = await HostsApart.StartAsync(lab);
        var partitions = Partition.Of(seed).Take(Cuts).ToList();
        var csv = hosts.Seen(lab.CsvOf((int)(partitions.Count * (Duration.TotalSeconds + 3) * HostsApart.ImagesPerSecond)));
        using var mine = await hosts.ClientOfAsync("an owner");
        using var theirs = await hosts.ClientOfAsync("a competitor");
        await mine.IsReadyAsync();
        var webhook = hosts.Seen(lab.System.Webhooks.Url);
        List<SubmittedRequest> requests = [await mine.UploadAsync(csv, webhook), await theirs.UploadAsync(csv, webhook)];
        var history = new List<string>();

        foreach (var partition in partitions)
        {
            await Eventually.GetAsync(lab.EndedAsync, ended => ended > 0, "The first image ends", Recovery);
            hosts.Cut(partition);
            var upload = partition.First == HostsApart.Api ? UploadAsync(mine, hosts.Seen(lab.CsvOf(2))) : null;
            var slowest = partition.First == HostsApart.Api ? await CallAsync(requests[0], Duration) : await WaitAsync(Duration);
            hosts.Heal(partition);
            var (next, host) = await RecoverAsync(lab, hosts, partition, mine, requests);
            if (upload is not null)
            {
                var (request, answered) = await upload.WaitAsync(Recovery, TimeProvider.System);
                slowest += $", upload {(request is null ? "refused" : "accepted")} after {answered.TotalSeconds:0.0} s";
                if (request is not null)
                    requests.Add(request);
            }

            history.Add($"{partition}: next image {next.TotalSeconds:0.0} s, host {host.TotalSeconds:0.0} s{slowest}");
        }

        var context = $"Seed {seed} (repeat it with DARKROOM_FAULT_SEED={seed}): {string.Join("; ", history)}";
        output.WriteLine(context);
        await lab.CheckAsync(requests, context, TimeSpan.FromMinutes(LongRun.Or(3, 10)));
    }

    private static async Task<string> WaitAsync(TimeSpan duration)
    {
        await Task.Delay(duration, TimeProvider.System);
        return "";
    }

    private static async Task<(SubmittedRequest? Request, TimeSpan Answered)> UploadAsync(DarkroomClient client, string csv)
    {
        var clock = Stopwatch.StartNew();
        return (await client.TryUploadAsync(csv), clock.Elapsed);
    }

    /// <summary>Calls the API during a cut. It must answer: with the status, or with 503 and how long to wait.</summary>
    private static async Task<string> CallAsync(SubmittedRequest request, TimeSpan duration)
    {
        var (cut, slowest) = (Stopwatch.StartNew(), TimeSpan.Zero);
        while (cut.Elapsed < duration)
        {
            var call = Stopwatch.StartNew();
            await request.IsAvailableAsync().WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System);
            slowest = call.Elapsed > slowest ? call.Elapsed : slowest;
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }

        return $", slowest answer {slowest.TotalSeconds:0.0} s";
    }

    /// <summary>How long it takes until another image has ended, and until the host that was cut off works again.</summary>
    private static async Task<(TimeSpan NextImage, TimeSpan Host)> RecoverAsync(
        FaultLab lab, HostsApart hosts, Partition partition, DarkroomClient client, List<SubmittedRequest> requests)
    {
        var clock = Stopwatch.StartNew();
        var ended = await lab.EndedAsync();
        var (reached, requested) = (hosts.Received(partition.Second, partition.First), hosts.Received(HostsApart.World, partition.First));
        await UntilAsync($"{partition}: another image ends", async () => await lab.EndedAsync() > ended);
        var next = clock.Elapsed;
        if (partition.First == HostsApart.Api)
            await UntilAsync($"{partition}: the API answers", requests[0].IsAvailableAsync);
        else
            await UntilAsync(
                $"{partition}: {partition.First} reaches both {partition.Second} and the image host",
                () => Task.FromResult(
                    hosts.Received(HostsApart.World, partition.First) > requested && hosts.Received(partition.Second, partition.First) > reached));
        return (next, clock.Elapsed);

        // Whatever the machine's speed, there is always something to do.
        Task UntilAsync(string claim, Func<Task<bool>> condition) => Eventually.GetAsync(
            async () =>
            {
                if (!await lab.HasWorkAsync())
                    requests.Add(await client.UploadAsync(hosts.Seen(lab.CsvOf(20))));
                return await condition();
            },
            holds => holds, claim, Recovery);
    }
}
