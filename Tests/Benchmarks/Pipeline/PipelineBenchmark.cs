using System.Diagnostics;
using Darkroom.Benchmarks.Product;

namespace Darkroom.Benchmarks.Pipeline;

/// <summary>
/// Images per second through the whole system, from the upload of a CSV to its webhook, and the CPU time per image of each process.
/// <c>pipeline [images] [folder of photos] [--workers n] [--rounds n] [--Section:Name=value]</c>
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

        await MeasureAsync(product, inbox, PhotoServer.Csv(photos.Url, folder, WarmUp), WarmUp);
        for (var round = 1; round <= options.Rounds; round++)
        {
            var load = Report.LoadAverage();
            var measured = await MeasureAsync(product, inbox, PhotoServer.Csv(photos.Url, folder, count), count);
            Report.Write(new { benchmark = "pipeline", round, options.Workers, images = count, loadBefore = load, result = measured });
        }
    }

    private static string SamplePhotos => Path.Combine(AppHost.Hosting.Repository.Root, "AppHost", "Samples");

    private static async Task<object> MeasureAsync(ProductHost product, WebhookInbox inbox, byte[] csv, int count)
    {
        product.Meter.ResetPeaks();
        var before = product.Meter.Cpu();
        var watch = Stopwatch.StartNew();
        var request = await product.UploadAsync(new MemoryStream(csv), inbox);
        await inbox.NextAsync(TimeSpan.FromMinutes(30));
        var seconds = watch.Elapsed.TotalSeconds;
        var after = product.Meter.Cpu();

        var status = await product.StatusAsync(request.Id);
        var used = after.ToDictionary(pair => pair.Key, pair => pair.Value - before[pair.Key]);
        var own = used.Where(pair => pair.Key != "machine").Sum(pair => pair.Value);
        return new
        {
            imagesPerSecond = Report.Rounded(count / seconds),
            seconds = Report.Rounded(seconds),
            acceptedAfter = Report.Rounded(request.Accepted.TotalSeconds, 3),
            status = status.GetProperty("status").GetString(),
            cpuMsPerImage = Report.Rounded(1000 * own / count),
            // CPU time of other processes on the machine. If it is high, the measurement is not meaningful.
            otherCpuSeconds = Report.Rounded(used["machine"] - own),
            cpuMsPerImageOf = used.Where(pair => pair.Key != "machine").ToDictionary(pair => pair.Key, pair => Report.Rounded(1000 * pair.Value / count)),
            peakMegabytes = product.Meter.Peaks(),
        };
    }
}
