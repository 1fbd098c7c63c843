using Darkroom.Data;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.EndToEnd;

/// <summary>No owner holds up another, whatever the first one's hosts do.</summary>
public sealed class FairnessTests
{
    // Slow hosts may be slow for longer than any test runs.
    private static readonly (string Name, string Value)[] Patient = [("Egress:Headers", "00:10:00"), ("Egress:Total", "00:10:00")];

    [Fact]
    public async Task Slow_hosts_of_one_owner_do_not_hold_up_another()
    {
        await using var system = await DarkroomSystem.StartAsync(settings: Patient);
        system.Images.CloseGate();
        await OccupyAsync(system, system.Client, first: 0, requested: 15);
        using var other = await system.ClientOfAsync("other");

        var request = await other.UploadAsync(Photos(system));

        Assert.Equal("completed", (await request.EndAsync()).GetProperty("status").GetString());
        // So that stopping need not wait for them.
        system.Images.OpenGate();
    }

    [Fact]
    public async Task Slow_hosts_of_two_owners_make_room_for_a_third_and_lose_no_attempt()
    {
        await using var system = await DarkroomSystem.StartAsync(
            settings: [.. Patient, ("ImageWork:PreemptAfter", "00:00:00.5"), ("ImageWork:Concurrency", "8"), ("ImageWork:Downloads", "8")]);
        using var second = await system.ClientOfAsync("second");
        using var third = await system.ClientOfAsync("third");
        system.Images.CloseGate();
        var slow = await OccupyAsync(system, system.Client, first: 0, requested: 6);
        var alsoSlow = await OccupyAsync(system, second, first: 100, requested: 2);

        var request = await third.UploadAsync(Photos(system));

        Assert.Equal("completed", (await request.EndAsync()).GetProperty("status").GetString());
        Assert.True((long)(await system.Database.DataSource.Sql("select sum(preemptions) from images").ExecuteScalarAsync())! > 0);
        system.Images.OpenGate();
        Assert.Equal("completed", (await slow.EndAsync()).GetProperty("status").GetString());
        Assert.Equal("completed", (await alsoSlow.EndAsync()).GetProperty("status").GetString());
        Assert.Equal(1, await system.Database.DataSource.Sql("select max(attempts) from images").ExecuteScalarAsync());
    }

    private static string Photos(DarkroomSystem system) =>
        ProductCsv.Of([.. Enumerable.Range(0, 10).Select(i => (IReadOnlyList<string>)[system.Images.Good(i)])]);

    /// <summary>Uploads 60 images whose host does not respond, and waits until this many of them are being downloaded.</summary>
    private static async Task<SubmittedRequest> OccupyAsync(DarkroomSystem system, DarkroomClient client, int first, int requested)
    {
        var urls = Enumerable.Range(first, 60).Select(system.Images.Gated).ToList();
        var request = await client.UploadAsync(ProductCsv.Of([.. urls.Select(url => (IReadOnlyList<string>)[url])]));
        await Eventually.GetAsync(
            () => Task.FromResult(urls.Count(url => system.Images.Requests.ContainsKey(new Uri(url).AbsolutePath))),
            count => count >= requested, $"{requested} images are being downloaded");
        return request;
    }
}
