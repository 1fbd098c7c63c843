using Darkroom.Engine.Bodies;
using Darkroom.Leases;
using Darkroom.Queue;
using Darkroom.Runs;
using Darkroom.Tests.Infrastructure;
using Darkroom.Worker.Queue;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace Darkroom.Tests.Queue;

/// <summary>The background services together, hosted as in a worker.</summary>
public sealed class QueueServicesTests
{
    [Fact]
    public async Task Opened_fan_out_reaches_the_claimer_survives_a_flush_and_ends_by_one_resumption()
    {
        await using var rig = await QueueRig.StartAsync();
        using var host = await StartAsync(rig);
        var queue = host.Services.GetRequiredService<ImageQueue>();
        var claimer = host.Services.GetRequiredService<ImageClaimer>();
        var recorder = host.Services.GetRequiredService<ImageRecorder>();
        var request = await rig.Request().WithImages(120).BuildAsync();
        await using (var connection = await rig.Database.DataSource.OpenConnectionAsync())
            await FanOut.OpenAsync(connection, request.Id, run: 1);

        using var patience = new CancellationTokenSource(Eventually.Patience);
        var recorded = 0;
        while (recorded < 120)
        {
            var images = await claimer.ClaimAsync(10, patience.Token);
            if (images.Count == 0)
                await queue.WaitForWorkAsync(patience.Token);
            await Task.WhenAll(images.Select(i => recorder.RecordAsync(Outcomes.Success(i), patience.Token)));
            recorded += images.Count;
            if (images.Count > 0 && recorded == 50)
                await rig.Redis.FlushAsync();
        }

        Assert.Equal(1, await rig.ResumptionsAsync(request));
        await host.StopAsync();
    }

    [Fact]
    public async Task Stopping_records_queued_outcomes_and_hands_back_the_rest()
    {
        await using var rig = await QueueRig.StartAsync();
        using var host = await StartAsync(rig);
        var request = await rig.Request().WithImages(10).BuildAsync();
        var worker = await rig.WorkerAsync();
        await worker.Feeder.FeedAsync(default);
        var claimer = host.Services.GetRequiredService<ImageClaimer>();
        var images = new List<ClaimedImage>();
        using var patience = new CancellationTokenSource(Eventually.Patience);
        while (images.Count < 10)
            images.AddRange(await claimer.ClaimAsync(10 - images.Count, patience.Token));
        var recorder = host.Services.GetRequiredService<ImageRecorder>();
        var recording = images.Take(4).Select(i => recorder.RecordAsync(Outcomes.Success(i), default)).ToList();

        await host.StopAsync();

        Assert.All(await Task.WhenAll(recording), result => Assert.Equal(RecordResult.Recorded, result));
        Assert.Equal((4L, 6L), (await rig.CountAsync(request.Id, "succeeded"), await rig.CountAsync(request.Id, "waiting")));
    }

    private static async Task<IHost> StartAsync(QueueRig rig)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Lease:Duration"] = "00:00:30",
            ["Lease:Heartbeat"] = "00:00:10",
            ["Lease:Scan"] = "00:00:00.5",
        });
        builder.Services.AddLogging();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(rig.Database.DataSource);
        builder.Services.AddSingleton<IConnectionMultiplexer>(await rig.Redis.ConnectAsync());
        builder.Services.AddProcessLease("worker");
        builder.AddImageQueueServices();
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }
}
