using System.Diagnostics;
using Darkroom.Benchmarks.Product;

namespace Darkroom.Benchmarks.Pipeline;

/// <summary>
/// Images per second through the whole system, from the upload of a CSV to its webhook, and the CPU time per image of each process. With several
/// requests, the images are shared out between them, and they are all uploaded at once.
/// <c>pipeline [images] [folder of photos] [--requests n] [--workers n] [--rounds n] [--Section:Name=value]</c>
/// </summary>
internal static class PipelineBenchmark
{
    private const int WarmUp = 60;

    public static async Task RunAsync(BenchmarkOptions options)
    {
        var count = options.Count(1_000);
        var folder = options.Arguments.ElementAtOrDefault(1) ?? Environment.GetEnvironmentVariable("DARKROOM_BENCH_CORPUS") ?? SamplePhotos;
        await using var photos = await PhotoServer.StartAsync(folder);
        await using var inbox = await WebhookInbox.StartAsync();
        await using var product = await ProductHost.StartAsync(options);
        product.Meter.Add("photos", photos.Id);
        product.Meter.Add("driver", Environment.ProcessId);

        await MeasureAsync(product, inbox, PhotoServer.Csv(photos.Url, folder, WarmUp), WarmUp, requests: 1);
        for (var round = 1; round <= options.Rounds; round++)
        {
            var load = Report.LoadAverage();
            var measured = await MeasureAsync(product, inbox, PhotoServer.Csv(photos.Url, folder, count / options.Requests), count, options.Requests);
            Report.Write(new { benchmark = "pipeline", round, options.Workers, images = count, options.Requests, loadBefore = load, result = measured });
        }
    }

    private static string SamplePhotos => Path.Combine(AppHost.Hosting.Repository.Root, "AppHost", "Samples");

    private static async Task<object> MeasureAsync(ProductHost product, WebhookInbox inbox, byte[] csv, int count, int requests)
    {
        product.Meter.ResetPeaks();
        var before = product.Meter.Cpu();
        var watch = Stopwatch.StartNew();
        var accepted = new List<double>();
        for (var i = 0; i < requests; i++)
            accepted.Add((await product.UploadAsync(new MemoryStream(csv), inbox)).Accepted.TotalSeconds);
        var ended = new List<string>();
        for (var i = 0; i < requests; i++)
            ended.Add((await inbox.NextAsync(TimeSpan.FromMinutes(30))).GetProperty("data").GetProperty("status").GetString()!);
        var seconds = watch.Elapsed.TotalSeconds;
        var after = product.Meter.Cpu();

        var used = after.ToDictionary(pair => pair.Key, pair => pair.Value - before[pair.Key]);
        var own = used.Where(pair => pair.Key != "machine").Sum(pair => pair.Value);
        return new
        {
            imagesPerSecond = Report.Rounded(count / seconds),
            seconds = Report.Rounded(seconds),
            acceptedAfter = Report.Rounded(Report.Median(accepted), 3),
            statuses = ended.CountBy(status => status).ToDictionary(pair => pair.Key, pair => pair.Value),
            cpuMsPerImage = Report.Rounded(1000 * own / count),
            // CPU time of other processes on the machine. If it is high, the measurement is not meaningful.
            otherCpuSeconds = Report.Rounded(used["machine"] - own),
            cpuMsPerImageOf = used.Where(pair => pair.Key != "machine").ToDictionary(pair => pair.Key, pair => Report.Rounded(1000 * pair.Value / count)),
            peakMegabytes = product.Meter.Peaks(),
            databaseMegabytes = await product.DatabaseMegabytesAsync(),
        };
    }
}
