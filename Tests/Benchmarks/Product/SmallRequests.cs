using System.Diagnostics;
using System.Text;

namespace Darkroom.Benchmarks.Product;

/// <summary>
/// Requests of ten images, one after another, each timed from its upload to its webhook. A refused upload is
/// repeated when the response says.
/// </summary>
internal sealed class SmallRequests(ProductHost product, WebhookInbox inbox, ChildServer photos, string folder)
{
    private const int Images = 10;

    private readonly byte[] _csv = Encoding.UTF8.GetBytes(ProductCsv.Of(Urls(photos, folder)));

    /// <summary>The first ten JPEGs of the folder.</summary>
    public static List<string> Urls(ChildServer photos, string folder) =>
    [
        .. PhotoServer.PhotosIn(folder)
            .Where(photo => photo.EndsWith(".jpg", StringComparison.Ordinal))
            .Select(photo => $"{photos.Url}/{Path.GetFileName(photo)}")
            .Take(Images),
    ];

    /// <summary>Uploads that were refused so far.</summary>
    public int Refused { get; private set; }

    /// <summary>Seconds per request, the fastest first.</summary>
    public async Task<List<double>> MeasureAsync(int rounds)
    {
        var seconds = new List<double>();
        for (var round = 0; round < rounds; round++)
            seconds.Add(await MeasureAsync());
        return [.. seconds.Order()];
    }

    /// <summary>Seconds per request, the fastest first, of those that were uploaded before <paramref name="end"/> completed.</summary>
    public async Task<List<double>> MeasureUntilAsync(Task end)
    {
        var seconds = new List<double>();
        while (!end.IsCompleted)
            seconds.Add(await MeasureAsync());
        return [.. seconds.Order()];
    }

    private async Task<double> MeasureAsync()
    {
        var watch = Stopwatch.StartNew();
        await UploadAsync();
        await inbox.NextAsync(TimeSpan.FromMinutes(10));
        return Report.Rounded(watch.Elapsed.TotalSeconds, 3);
    }

    private async Task UploadAsync()
    {
        while (true)
        {
            using var response = await product.TryUploadAsync(new MemoryStream(_csv), inbox);
            if (response.IsSuccessStatusCode)
                return;
            if (response.Headers.RetryAfter?.Delta is not { } delay)
                throw new InvalidOperationException($"The upload failed with status {(int)response.StatusCode}, and without Retry-After.");
            Refused++;
            await Task.Delay(delay, TimeProvider.System);
        }
    }
}
