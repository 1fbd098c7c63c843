using Darkroom.Data;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.EndToEnd;

/// <summary>Images whose decoding kills the worker, and images that were merely in hand when a worker died.</summary>
public sealed class PoisonTests
{
    [Fact]
    public async Task An_image_that_crashes_its_worker_twice_while_decoded_alone_fails_and_all_others_complete()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 0);
        var images = system.Images;
        var worker = system.StartWorkerProcess();
        var products = Enumerable.Range(0, 30).Select(i => (IReadOnlyList<string>)[images.Good(i)]).ToList();
        products.Insert(7, [images.Good(100), images.Heavy(1), images.Good(101)]);
        var request = await system.Client.UploadAsync(ProductCsv.Of([.. products]), system.Webhooks.Url);

        // The first crash makes all images in hand suspects. Only the culprit then crashes the worker while it is decoded alone.
        await images.RequestedAsync(images.Heavy(1), 1);
        await worker.KillAsync();
        var claim = 1L;
        for (var death = 0; death < 2; death++)
        {
            worker = system.StartWorkerProcess();
            claim = await DecodedAloneAsync(system, images.Heavy(1), after: claim);
            await worker.KillAsync();
        }

        system.StartWorkerProcess();
        var end = await request.EndAsync();
        Assert.Equal("completed_with_errors", end.GetProperty("status").GetString());
        Assert.Equal(32, end.GetProperty("images").GetProperty("succeeded").GetInt32());
        Assert.Equal(1, end.GetProperty("images").GetProperty("failed").GetInt32());
        var rows = await request.OutputRowsAsync();
        Assert.Equal([false, true, false], rows[7].Outputs.Select(url => url.Length == 0));
        Assert.Equal("2: decoder_crashed", rows[7].Errors);
        Assert.All(rows.Where((_, row) => row != 7), row => Assert.Empty(row.Errors));
        Assert.Equal(2, await system.Database.DataSource.Sql("select max(exclusive_crashes) from images").ExecuteScalarAsync());
        // A busy worker may lose its lease of three seconds and download the image once more.
        Assert.True(images.Requests["/heavy/1.avif"] >= 3);
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

    /// <summary>Waits until the image is decoded alone under a claim later than <paramref name="after"/>, and returns that claim's fence.</summary>
    private static async Task<long> DecodedAloneAsync(DarkroomSystem system, string url, long after) =>
        (long)(await Eventually.GetAsync(
            async () => await system.Database.DataSource.Sql("select fence from images where url = @url and exclusive and fence > @after")
                .With("url", url)
                .With("after", after)
                .ExecuteScalarAsync(),
            fence => fence is not null, TimeSpan.FromSeconds(60), "The image is decoded alone"))!;
}
