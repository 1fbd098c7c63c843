using Darkroom.Benchmarks.Product;

namespace Darkroom.Benchmarks.Fairness;

/// <summary>
/// How long one owner's ten images take, alone and while thirty slow hosts of another owner occupy the workers.
/// <c>fairness [--workers n] [--rounds n]</c>
/// </summary>
internal static class FairnessBenchmark
{
    private const int SlowHosts = 30;
    private const int SlowImages = 2_000;

    public static async Task RunAsync(BenchmarkOptions options)
    {
        var folder = Path.Combine(AppHost.Hosting.Repository.Root, "AppHost", "Samples");
        await using var photos = await PhotoServer.StartAsync(folder);
        await using var inbox = await WebhookInbox.StartAsync();
        await using var drips = new DripServer(SlowHosts);
        await using var product = await ProductHost.StartAsync(options);
        using var slow = await product.ClientOfAsync("slow");
        var small = new SmallRequests(product, inbox, photos, folder);

        await small.MeasureAsync(1);
        var idle = await small.MeasureAsync(options.Rounds);
        await UploadAsync(slow, ProductCsv.Of([.. drips.Urls(SlowImages)]));
        // Long enough for the slow images to take every place that they get.
        await Task.Delay(TimeSpan.FromSeconds(10), TimeProvider.System);
        var beside = await small.MeasureAsync(options.Rounds);

        Report.Write(new
        {
            benchmark = "fairness",
            options.Workers,
            idleSeconds = idle,
            besideSlowHostsSeconds = beside,
            medianRatio = Report.Rounded(beside[beside.Count / 2] / idle[idle.Count / 2]),
            smallUploadsRefused = small.Refused,
            worstRatio = Report.Rounded(beside[^1] / idle[idle.Count / 2]),
        });
    }

    private static async Task UploadAsync(HttpClient client, string csv)
    {
        using var form = new MultipartFormDataContent { { new StringContent(csv), "file", "products.csv" } };
        using var response = await client.PostAsync("/v1/requests", form);
        response.EnsureSuccessStatusCode();
    }
}
