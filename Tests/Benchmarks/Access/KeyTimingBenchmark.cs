using System.Diagnostics;
using System.Net;
using Darkroom.Access;
using Darkroom.Benchmarks.Product;

namespace Darkroom.Benchmarks.Access;

/// <summary>
/// Whether the time of a refusal tells how wrong an API key is. Calls with keys of which all but the last letter is right alternate with
/// calls whose secret is wrong, and calls whose prefix is unknown. Reports how likely chance alone explains the difference in rank of their
/// times (a permutation test); below 0.01 the times would tell them apart. <c>keys [calls]</c>
/// </summary>
internal static class KeyTimingBenchmark
{
    private const int Permutations = 10_000;
    private const int WarmUp = 500;

    public static async Task RunAsync(BenchmarkOptions options)
    {
        // Refusals for guessing would hide the times.
        options.Settings.Add(("Access__BadKeysPerSource", "100000"));
        options.Settings.Add(("Access__BadKeysPerPrefix", "100000"));
        await using var product = await ProductHost.StartAsync(options);
        var right = product.Client.DefaultRequestHeaders.Authorization!.Parameter!;
        product.Client.DefaultRequestHeaders.Authorization = null;
        var prefix = $"dk_{ApiKeyText.Prefix(right)}_";
        Func<string>[] kinds =
        [
            () => right[..^1] + (right[^1] == 'x' ? 'y' : 'x'),
            () => prefix + Secret(),
            ApiKeyText.Generate,
        ];
        var times = kinds.Select(_ => new List<double>()).ToArray();
        var calls = options.Count(5_000);
        for (var call = 0; call < WarmUp + calls; call++)
            for (var kind = 0; kind < kinds.Length; kind++)
            {
                var time = await TimeAsync(product.Client, kinds[kind]());
                if (call >= WarmUp)
                    times[kind].Add(time);
            }

        Report.Write(new
        {
            benchmark = "keys",
            calls,
            medianMicroseconds = times.Select(kind => Report.Rounded(kind.Order().ElementAt(calls / 2), 0)),
            lastLetterOrSecret = Report.Rounded(Chance(times[0], times[1]), 3),
            lastLetterOrPrefix = Report.Rounded(Chance(times[0], times[2]), 3),
            load = Report.LoadAverage(),
        });
    }

    private static string Secret() => ApiKeyText.Generate().Split('_', 3)[2];

    /// <summary>In microseconds.</summary>
    private static async Task<double> TimeAsync(HttpClient client, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/requests");
        request.Headers.Add("Authorization", $"Bearer {key}");
        var started = Stopwatch.GetTimestamp();
        using var response = await client.SendAsync(request);
        var time = Stopwatch.GetElapsedTime(started);
        if (response.StatusCode != HttpStatusCode.Unauthorized)
            throw new InvalidOperationException($"A bad key was answered with {(int)response.StatusCode}.");
        return time.TotalMicroseconds;
    }

    /// <summary>How often random halves of all times differ in the sum of their ranks at least as much as the two samples do.</summary>
    private static double Chance(List<double> first, List<double> second)
    {
        double[] times = [.. first, .. second];
        var ranks = new double[times.Length];
        foreach (var (rank, call) in Enumerable.Range(0, times.Length).OrderBy(call => times[call]).Index())
            ranks[call] = rank;
        var seen = Difference();
        var random = new Random(1);
        var extreme = 0;
        for (var i = 0; i < Permutations; i++)
        {
            random.Shuffle(ranks);
            if (Difference() >= seen)
                extreme++;
        }

        return (double)extreme / Permutations;

        double Difference() => Math.Abs(ranks.Take(first.Count).Sum() - (first.Count * (ranks.Length - 1) / 2.0));
    }
}
