using System.Diagnostics;
using Darkroom.Benchmarks.Product;

namespace Darkroom.Benchmarks.Compare;

/// <summary>This product with one worker, its object store and image server in processes of their own.</summary>
internal static class DarkroomSystem
{
    public static async Task<SystemRun> RunAsync(BenchmarkOptions options, Setup setup, string folder, int warmUp, int images)
    {
        await using var photos = await PhotoServer.StartAsync(folder);
        await using var store = await StoreServer.StartAsync(setup.IsSink);
        var (seconds, used, peaks) = await MeasureAsync(options, folder, photos, store, warmUp, images);

        var (sent, received) = (await photos.StopAsync(), await store.StopAsync());
        Expect(sent.Images, warmUp + images, "downloads");
        Expect(received.Images, 2 * (warmUp + images), "stored images");
        var own = used.Where(pair => pair.Key != "machine").ToDictionary(pair => Name(pair.Key), pair => pair.Value);
        return new SystemRun(
            "Darkroom", images / seconds, own.ToDictionary(pair => pair.Key, pair => 1000 * pair.Value / images),
            peaks.ToDictionary(pair => Name(pair.Key), pair => pair.Value), (received.Bytes - sent.Bytes) / (double)sent.Images,
            used["machine"] - own.Values.Sum());
    }

    private static async Task<(double Seconds, Dictionary<string, double> Cpu, Dictionary<string, double> Peaks)> MeasureAsync(
        BenchmarkOptions options, string folder, ChildServer photos, ChildServer store, int warmUp, int images)
    {
        await using var inbox = await WebhookInbox.StartAsync();
        await using var product = await ProductHost.StartAsync(
            options, workers: 1, ("ConnectionStrings__s3", StoreServer.ConnectionString(store.Url)));
        product.Meter.Add("s3", store.Id);
        product.Meter.Add("photos", photos.Id);

        await RequestAsync(product, inbox, PhotoServer.Csv(photos.Url, folder, warmUp));
        product.Meter.ResetPeaks();
        var before = product.Meter.Cpu();
        var seconds = await RequestAsync(product, inbox, PhotoServer.Csv(photos.Url, folder, images));
        var after = product.Meter.Cpu();
        return (seconds, after.ToDictionary(pair => pair.Key, pair => pair.Value - before[pair.Key]), product.Meter.Peaks());
    }

    private static async Task<double> RequestAsync(ProductHost product, WebhookInbox inbox, byte[] csv)
    {
        var watch = Stopwatch.StartNew();
        var request = await product.UploadAsync(new MemoryStream(csv), inbox);
        await inbox.NextAsync(TimeSpan.FromMinutes(30));
        var seconds = watch.Elapsed.TotalSeconds;
        var status = (await product.StatusAsync(request.Id)).GetProperty("status").GetString();
        return status == "completed" ? seconds : throw new InvalidOperationException($"The request ended as {status}.");
    }

    /// <summary>Fails a run in which something was done twice or not at all: its figures would not be those of the work.</summary>
    public static void Expect(long actual, long expected, string what)
    {
        if (actual != expected)
            throw new InvalidOperationException($"{actual} {what} instead of {expected}.");
    }

    private static string Name(string process) =>
        process.StartsWith("worker", StringComparison.Ordinal) ? "worker"
        : process.StartsWith("api", StringComparison.Ordinal) ? "api"
        : process.Equals("apphost", StringComparison.OrdinalIgnoreCase) ? "redis"
        : process;
}
