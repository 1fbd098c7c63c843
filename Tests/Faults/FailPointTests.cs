using System.Net;
using Darkroom.Data;
using Darkroom.Tests.EndToEnd;
using Darkroom.Tests.Infrastructure;
using Xunit.Abstractions;

namespace Darkroom.Tests.Faults;

/// <summary>F2, F3, F18, F21: a process dies exactly between an effect and what records it, at each such gap.</summary>
public sealed class FailPointTests(ITestOutputHelper output)
{
    /// <summary>Four of the gaps after an effect in an ordinary run, chosen by the seed, each with a new worker; all gaps in the long run.</summary>
    [Theory]
    [Seeds(1, longRun: 20)]
    public async Task A_request_survives_a_worker_that_dies_at_every_gap(int seed)
    {
        var random = new Random(seed);
        await using var lab = await FaultLab.StartAsync(output);
        var worker = lab.System.StartWorkerProcess();
        var points = FailPoint.OfWorker.ToList();
        if (!LongRun.IsOn)
            points = Some(points.Where(point => point.IsAfter), 4, random);
        var strikes = StrikeAllAsync(lab, worker, points, random);
        // So many that each gap still comes up after those before it.
        var requests = await lab.UploadAsync(80);

        await strikes;
        await lab.CheckAsync(requests, $"Seed {seed}; died at: {string.Join("; ", points)}", TimeSpan.FromMinutes(LongRun.Or(3, 10)));
    }

    /// <summary>F5: the client repeats its upload after the API died before or after the commit that accepts it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_repeated_upload_is_one_request_whenever_the_API_died(bool isAccepted)
    {
        await using var lab = await FaultLab.StartAsync(output, workers: 1, settings: ("UploadSweep:Every", "00:00:00.5"));
        var (dying, client) = await lab.System.StartApiProcessAsync();
        using var owned = client;
        client.Http.DefaultRequestHeaders.Add("Idempotency-Key", "once");
        lab.System.Client.Http.DefaultRequestHeaders.Add("Idempotency-Key", "once");
        var csv = ProductCsv.Of([lab.System.Images.Good(1)], [lab.System.Images.Good(2)]);
        var point = new FailPoint("accept", "insert into csv_data_table", null, isAccepted);

        var strike = point.StrikeAsync(lab, 1, dying.KillAsync);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => client.UploadAsync(csv));
        await strike;
        Assert.Equal(isAccepted ? 1L : 0L, await lab.CountAsync("csv_data_table"));

        var request = await Eventually.GetAsync(
            () => TryUploadAsync(lab, csv), accepted => accepted is not null, "The key is free or answered");
        await lab.CheckAsync([request!], $"The API died, accepted: {isAccepted}", TimeSpan.FromMinutes(1));
        Assert.Equal((1L, 0L), (await lab.CountAsync("csv_data_table"), await lab.CountAsync("uploads")));
    }

    /// <summary>So many of them, in their order.</summary>
    private static List<FailPoint> Some(IEnumerable<FailPoint> points, int count, Random random)
    {
        var all = points.ToList();
        while (all.Count > count)
            all.RemoveAt(random.Next(all.Count));
        return all;
    }

    private static async Task StrikeAllAsync(FaultLab lab, ServiceProcess worker, List<FailPoint> points, Random random)
    {
        foreach (var point in points)
        {
            // Not always the first image: later ones share batches and connections with others.
            var occurrence = point.Statement?.StartsWith("with ", StringComparison.Ordinal) == true || point.Object == "/images/" ? random.Next(1, 4) : 1;
            var victim = worker;
            await point.StrikeAsync(lab, occurrence, victim.KillAsync);
            worker = lab.System.StartWorkerProcess();
        }
    }

    /// <summary>Null while the dead API's upload still holds the key.</summary>
    private static async Task<SubmittedRequest?> TryUploadAsync(FaultLab lab, string csv)
    {
        using var form = new MultipartFormDataContent { { new StringContent(csv), "file", "products.csv" } };
        using var response = await lab.System.Client.Http.PostAsync("/v1/requests", form);
        if (response.StatusCode == HttpStatusCode.Conflict)
            return null;
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var body = System.Text.Json.JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        return new SubmittedRequest(lab.System.Client, body.GetProperty("id").GetString()!);
    }
}
