using System.Diagnostics;
using System.Text;
using Darkroom.Benchmarks.Product;

namespace Darkroom.Benchmarks.Fairness;

/// <summary>
/// How long one owner's ten images take, alone and while thirty slow hosts of another owner occupy the workers.
/// <c>fairness [--workers n] [--rounds n]</c>
/// </summary>
internal static class FairnessBenchmark
{
    private const int Images = 10;
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
        var csv = ProductCsv.Of(PhotoServer.PhotosIn(folder).Where(photo => photo.EndsWith(".jpg", StringComparison.Ordinal))
            .Select(photo => $"{photos.Url}/{Path.GetFileName(photo)}").Take(Images).ToList());

        await MeasureAsync(product, inbox, csv);
        var idle = await MeasureAsync(product, inbox, csv, options.Rounds);
        await UploadAsync(slow, ProductCsv.Of([.. drips.Urls(SlowImages)]));
        // Long enough for the slow images to take every place that they get.
        await Task.Delay(TimeSpan.FromSeconds(10), TimeProvider.System);
        var beside = await MeasureAsync(product, inbox, csv, options.Rounds);

        Report.Write(new
        {
            benchmark = "fairness",
            options.Workers,
            idleSeconds = idle,
            besideSlowHostsSeconds = beside,
            medianRatio = Report.Rounded(beside[beside.Count / 2] / idle[idle.Count / 2]),
            worstRatio = Report.Rounded(beside[^1] / idle[idle.Count / 2]),
        });
    }

    /// <summary>Seconds per round, the fastest first.</summary>
    private static async Task<List<double>> MeasureAsync(ProductHost product, WebhookInbox inbox, string csv, int rounds)
    {
        var seconds = new List<double>();
        for (var round = 0; round < rounds; round++)
            seconds.Add(await MeasureAsync(product, inbox, csv));
        return [.. seconds.Order()];
    }

    private static async Task<double> MeasureAsync(ProductHost product, WebhookInbox inbox, string csv)
    {
        var watch = Stopwatch.StartNew();
        await product.UploadAsync(new MemoryStream(Encoding.UTF8.GetBytes(csv)), inbox);
        await inbox.NextAsync(TimeSpan.FromMinutes(10));
        return Report.Rounded(watch.Elapsed.TotalSeconds, 3);
    }

    private static async Task UploadAsync(HttpClient client, string csv)
    {
        using var form = new MultipartFormDataContent { { new StringContent(csv), "file", "products.csv" } };
        using var response = await client.PostAsync("/v1/requests", form);
        response.EnsureSuccessStatusCode();
    }
}
