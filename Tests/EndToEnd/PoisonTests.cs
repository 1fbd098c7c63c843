using Darkroom.Tests.Images.Decoders;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.EndToEnd;

/// <summary>Images whose decoding crashes, and images that were merely in hand when a worker died.</summary>
public sealed class PoisonTests
{
    [Fact]
    public async Task An_image_that_crashes_its_decoder_fails_alone_and_no_worker_dies()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 1, RedisKind.Garnet, postgres: null, system =>
        {
            system.Decoder = TestDecoders.StandIn;
            return Task.CompletedTask;
        });
        var images = system.Images;
        var products = Enumerable.Range(0, 30).Select(i => (IReadOnlyList<string>)[images.Good(i)]).ToList();
        products.Insert(7, [images.Good(100), images.Poison(1), images.Good(101)]);
        var request = await system.Client.UploadAsync(ProductCsv.Of([.. products]), system.Webhooks.Url);

        var end = await request.EndAsync();

        Assert.Equal("completed_with_errors", end.GetProperty("status").GetString());
        Assert.Equal(32, end.GetProperty("images").GetProperty("succeeded").GetInt32());
        Assert.Equal(1, end.GetProperty("images").GetProperty("failed").GetInt32());
        var rows = await request.OutputRowsAsync();
        Assert.Equal([false, true, false], rows[7].Outputs.Select(url => url.Length == 0));
        Assert.Equal("2: decoder_crashed", rows[7].Errors);
        Assert.All(rows.Where((_, row) => row != 7), row => Assert.Empty(row.Errors));
    }

    [Fact]
    public async Task A_dead_workers_decoders_die_with_it()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 0, settings: ("Images:CodecSlots", "3"));
        var worker = system.StartWorkerProcess();
        await Eventually.TrueAsync(() => Task.FromResult(ChildProcesses.Of(worker.Id).Count == 1));
        // The others start with images that need one while the first is busy.
        var decoders = await Eventually.GetAsync(
            async () =>
            {
                var request = await system.Client.UploadAsync(ProductCsv.Of([.. Enumerable.Range(0, 30).Select(i => (IReadOnlyList<string>)[system.Images.Rgba(i)])]));
                await request.EndAsync();
                return ChildProcesses.Of(worker.Id);
            },
            children => children.Count == 3,
            "Three decoders run");

        await worker.KillAsync();

        await Eventually.GetAsync(
            () => Task.FromResult(decoders.Count(ChildProcesses.Exists)), count => count == 0, "The decoders are gone");
    }

    [Fact]
    public async Task Images_in_hand_at_a_death_hold_up_nobody_while_they_download()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 0);
        var images = system.Images;
        var worker = system.StartWorkerProcess();
        images.CloseGate();
        var slow = await system.Client.UploadAsync(ProductCsv.Of([images.Gated(1)], [images.Gated(2)]));
        await images.RequestedAsync(images.Gated(1), 1);
        await images.RequestedAsync(images.Gated(2), 1);
        await worker.KillAsync();
        system.StartWorkerProcess();
        await images.RequestedAsync(images.Gated(1), 2);
        await images.RequestedAsync(images.Gated(2), 2);

        var quick = await system.Client.UploadAsync(ProductCsv.Of([images.Good(1)], [images.Good(2)]));
        var end = await quick.EndAsync();

        Assert.Equal("completed", end.GetProperty("status").GetString());
        images.OpenGate();
        Assert.Equal("completed", (await slow.EndAsync()).GetProperty("status").GetString());
    }
}
