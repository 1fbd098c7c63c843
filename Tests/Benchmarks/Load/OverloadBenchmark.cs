using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Darkroom.Benchmarks.Product;

namespace Darkroom.Benchmarks.Load;

/// <summary>
/// A crowd of another owner: 1,000 uploads at once, 1,000 clients that poll, and three requests of 100,000 images, beside requests of ten
/// images. Every refusal must say when to come back, every accepted request must end, and the small ones must not take much longer than on an
/// idle system. <c>overload [--workers n] [--rounds n]</c>
/// </summary>
internal static class OverloadBenchmark
{
    private const int Crowd = 1_000;
    private const int WarmUp = 8;
    private const int LargeRequests = 3;
    private const int LargeImages = 100_000;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    public static async Task RunAsync(BenchmarkOptions options)
    {
        var folder = Path.Combine(AppHost.Hosting.Repository.Root, "AppHost", "Samples");
        await using var photos = await PhotoServer.StartAsync(folder);
        await using var inbox = await WebhookInbox.StartAsync();
        await using var product = await ProductHost.StartAsync(options);
        // Two programs of one owner, each with its own key, so that its polling does not use up the calls of its uploads.
        using var crowd = await product.ClientOfAsync("crowd");
        using var watchers = await product.ClientOfAsync("crowd");
        var urls = SmallRequests.Urls(photos, folder);
        var small = new SmallRequests(product, inbox, photos, folder);

        await small.MeasureAsync(WarmUp);
        var idle = await small.MeasureAsync(options.Rounds);

        using var over = new CancellationTokenSource();
        var large = new List<Guid>();
        var tally = new Tally();
        for (var i = 0; i < LargeRequests; i++)
            large.Add(await UploadAsync(crowd, ProductCsv.Of([.. Enumerable.Range(0, LargeImages).Select(n => $"{urls[n % urls.Count]}?n={n}")]), tally));
        var watch = Stopwatch.StartNew();
        var uploads = Task.WhenAll(Enumerable.Range(0, Crowd).Select(_ => UploadAsync(crowd, ProductCsv.Of([urls[0]]), tally)));
        var acceptedAfter = uploads.ContinueWith(_ => watch.Elapsed, TaskScheduler.Default);
        var pollers = Enumerable.Range(0, Crowd).Select(i => PollAsync(watchers, large[i % LargeRequests], tally, over.Token)).ToList();
        var besideUploads = await small.MeasureUntilAsync(uploads);
        // The crowd's uploads are in; its images and its pollers are still there.
        var besideImages = await small.MeasureAsync(options.Rounds);

        var accepted = await uploads;
        await over.CancelAsync();
        await Task.WhenAll(pollers);
        foreach (var request in large)
            (await crowd.PostAsync($"/v1/requests/{request}/cancel", null)).Dispose();
        var ended = (await Task.WhenAll(accepted.Select(request => EndAsync(crowd, request, tally)))).Count(end => end == "completed");

        Report.Write(new
        {
            benchmark = "overload",
            options.Workers,
            idleSeconds = idle,
            besideUploads = Against(idle, besideUploads),
            besideImages = Against(idle, besideImages),
            smallUploadsRefused = small.Refused,
            accepted = accepted.Distinct().Count(),
            acceptedAfterSeconds = Report.Rounded((await acceptedAfter).TotalSeconds),
            completed = ended,
            lost = accepted.Length - ended,
            responses = tally.Statuses.ToDictionary(pair => (int)pair.Key, pair => pair.Value),
            refusedWithoutRetryAfter = tally.Rude,
            connectionsReset = tally.Resets,
        });
    }

    private static object Against(List<double> idle, List<double> seconds) => new
    {
        seconds,
        medianRatio = Report.Rounded(seconds[seconds.Count / 2] / idle[idle.Count / 2]),
        worstRatio = Report.Rounded(seconds[^1] / idle[idle.Count / 2]),
    };

    /// <summary>Uploads as a well-behaved client does: refused, it comes back when it is told to, with the same idempotency key.</summary>
    private static async Task<Guid> UploadAsync(HttpClient client, string csv, Tally tally)
    {
        var key = Guid.NewGuid().ToString("N");
        while (true)
        {
            using var form = new MultipartFormDataContent { { new StringContent(csv), "file", "products.csv" } };
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/requests") { Content = form };
            request.Headers.Add("Idempotency-Key", key);
            using var response = await tally.SendAsync(client, request, CancellationToken.None);
            if (response.StatusCode == HttpStatusCode.Accepted)
            {
                tally.Count(response);
                return JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("id").GetGuid();
            }

            await tally.WaitAsync(response, CancellationToken.None);
        }
    }

    private static async Task PollAsync(HttpClient client, Guid id, Tally tally, CancellationToken over)
    {
        EntityTagHeaderValue? seen = null;
        while (!over.IsCancellationRequested)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/requests/{id}");
                if (seen is not null)
                    request.Headers.IfNoneMatch.Add(seen);
                using var response = await tally.SendAsync(client, request, over);
                seen = response.Headers.ETag ?? seen;
                await tally.WaitAsync(response, over);
            }
            catch (OperationCanceledException) when (over.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private static async Task<string?> EndAsync(HttpClient client, Guid id, Tally tally)
    {
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < Patience;)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/requests/{id}");
            using var response = await tally.SendAsync(client, request, CancellationToken.None);
            if (response.IsSuccessStatusCode)
            {
                var status = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("status").GetString();
                if (status is not ("created" or "processing"))
                    return status;
            }

            await Task.Delay(response.Headers.RetryAfter?.Delta ?? TimeSpan.FromSeconds(1), TimeProvider.System);
        }

        return null;
    }

    /// <summary>How the crowd was answered.</summary>
    private sealed class Tally
    {
        private int _rude;
        private int _resets;

        public ConcurrentDictionary<HttpStatusCode, int> Statuses { get; } = [];

        /// <summary>Responses 409, 429 and 503 that did not say when to come back.</summary>
        public int Rude => _rude;

        /// <summary>Connections that were reset, by the server or by the local proxy before it.</summary>
        public int Resets => _resets;

        /// <summary>A connection that breaks is a refusal like any other, without a time to come back.</summary>
        public async Task<HttpResponseMessage> SendAsync(HttpClient client, HttpRequestMessage request, CancellationToken cancellationToken)
        {
            try
            {
                return await client.SendAsync(request, cancellationToken);
            }
            catch (HttpRequestException)
            {
                Interlocked.Increment(ref _resets);
                return new HttpResponseMessage(HttpStatusCode.ServiceUnavailable) { Headers = { RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromSeconds(1)) } };
            }
        }

        public void Count(HttpResponseMessage response) => Statuses.AddOrUpdate(response.StatusCode, 1, (_, count) => count + 1);

        public async Task WaitAsync(HttpResponseMessage response, CancellationToken cancellationToken)
        {
            Count(response);
            // 409: the same upload, refused a moment ago, is still being cleaned up.
            var isRefused = response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable or HttpStatusCode.Conflict;
            if (isRefused && response.Headers.RetryAfter is null)
                Interlocked.Increment(ref _rude);
            else if (!isRefused && (int)response.StatusCode >= 400)
                throw new InvalidOperationException($"A response that nobody expects: {(int)response.StatusCode}.");
            await Task.Delay(response.Headers.RetryAfter?.Delta ?? TimeSpan.FromSeconds(1), TimeProvider.System, cancellationToken);
        }
    }
}
