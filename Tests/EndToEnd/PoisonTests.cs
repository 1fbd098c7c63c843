namespace Darkroom.Tests.EndToEnd;

public sealed class PoisonTests
{
    [Fact]
    public async Task An_image_that_crashes_its_worker_twice_while_alone_fails_and_all_others_complete()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 0);
        var images = system.Images;
        var worker = system.StartWorkerProcess();
        var products = Enumerable.Range(0, 30).Select(i => (IReadOnlyList<string>)[images.Good(i)]).ToList();
        products.Insert(7, [images.Good(100), images.Poison(1), images.Good(101)]);
        var request = await system.Client.UploadAsync(ProductCsv.Of([.. products]), system.Webhooks.Url);

        // The first crash marks all claimed images as suspects. Each then runs alone, and only the culprit crashes its worker again.
        for (var death = 0; death < 3; death++)
        {
            await images.PoisonRequestedAsync();
            await worker.KillAsync();
            worker = system.StartWorkerProcess();
        }

        var end = await request.EndAsync();
        Assert.Equal("completed_with_errors", end.GetProperty("status").GetString());
        Assert.Equal(32, end.GetProperty("images").GetProperty("succeeded").GetInt32());
        Assert.Equal(1, end.GetProperty("images").GetProperty("failed").GetInt32());
        var rows = await request.OutputRowsAsync();
        Assert.Equal([false, true, false], rows[7].Outputs.Select(url => url.Length == 0));
        Assert.Equal("2: decoder_crashed", rows[7].Errors);
        Assert.All(rows.Where((_, row) => row != 7), row => Assert.Empty(row.Errors));
        Assert.Equal(3, images.Requests["/poison/1.jpg"]);
    }
}
