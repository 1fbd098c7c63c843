using System.Diagnostics;
using System.Text.Json;
using Darkroom.Data;
using Darkroom.Egress;
using Darkroom.Images;
using Darkroom.Tests.EndToEnd;
using Darkroom.Tests.Infrastructure;
using Xunit.Abstractions;

namespace Darkroom.Tests.Faults;

/// <summary>The names of image hosts are not resolved, resolved late, or resolved to something else than before.</summary>
public sealed class NameLookupTests(ITestOutputHelper output)
{
    /// <summary>As many names as an owner may download from at once, twice: each lookup blocks a thread of the worker for ten seconds.</summary>
    private const int Hanging = 30;

    private static readonly (string, string)[] ShortConnect = [("Egress:Connect", "00:00:02.5")];

    [NameServerFact]
    public async Task Lookups_that_hang_fail_with_their_own_code_and_hold_up_nobody()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 0, settings: ShortConnect);
        await using var names = new NameServer
        {
            Answer = name => name.StartsWith("hangs", StringComparison.Ordinal) ? NameAnswer.None : NameAnswer.Of("127.0.0.1"),
        };
        var worker = names.Use(() => system.StartWorkerProcess());
        var other = await system.ClientOfAsync("a competitor");
        var lease = await Eventually.GetAsync(() => LeaseOfAsync(system, worker), id => id is not null, "The worker starts");

        var clock = Stopwatch.StartNew();
        var hanging = await system.Client.UploadAsync(Csv(system, "hangs", Hanging));
        await Eventually.TrueAsync(() => Task.FromResult(Enumerable.Range(0, Hanging).Any(i => names.LookupsOf($"hangs{i}.test") > 0)));
        var good = await other.UploadAsync(Csv(system, "good", 20));

        var end = await good.EndAsync();
        var held = clock.Elapsed;
        Assert.Equal("completed", end.GetProperty("status").GetString());
        Assert.False(SubmittedRequest.HasEnded(await hanging.StatusAsync()), "The other owner waited for all lookups that hang.");
        await hanging.EndAsync();
        Assert.All(await hanging.OutputRowsAsync(), row => Assert.Equal($"1: {ImageFailureCodes.DnsFailed}", row.Errors));
        Assert.Equal(lease, await LeaseOfAsync(system, worker));
        output.WriteLine(
            $"The other owner's images ended after {held.TotalSeconds:0.0} s, those whose lookups hang after {clock.Elapsed.TotalSeconds:0.0} s");
    }

    [NameServerFact]
    public async Task Every_try_looks_the_name_up_anew_and_checks_what_it_finds()
    {
        await using var system = await DarkroomSystem.StartAsync(workers: 0, settings: ShortConnect);
        await using var names = new NameServer();
        names.Answer = name => name switch
        {
            // Fails at first, so that there is another try.
            "moves.test" when names.LookupsOf(name) == 1 => NameAnswer.Of("127.0.0.1"),
            "moves.test" => NameAnswer.Of("10.0.0.1"),
            "recovers.test" when names.LookupsOf(name) == 1 => NameAnswer.None,
            "recovers.test" => NameAnswer.Of("127.0.0.1"),
            "elsewhere.test" => NameAnswer.Of("169.254.169.254"),
            _ => NameAnswer.Failure,
        };
        names.Use(() => system.StartWorkerProcess());

        var request = await system.Client.UploadAsync(ProductCsv.Of(
            [On("moves.test", system.Images.Flaky(1))], [On("recovers.test", system.Images.Good(2))], [On("elsewhere.test", system.Images.Good(3))],
            [On("fails.test", system.Images.Good(4))]));

        await request.EndAsync();
        Assert.Equal(
            [$"1: {EgressRefusalCodes.ForbiddenAddress}", "", $"1: {EgressRefusalCodes.ForbiddenAddress}", $"1: {ImageFailureCodes.DnsFailed}"],
            (await request.OutputRowsAsync()).Select(row => row.Errors));
        Assert.Equal((2, 1), (names.LookupsOf("moves.test"), names.LookupsOf("elsewhere.test")));
    }

    /// <summary>So many images, each on a host of its own.</summary>
    private static string Csv(DarkroomSystem system, string name, int images) => ProductCsv.Of(
        [.. Enumerable.Range(0, images).Select(i => (IReadOnlyList<string>)[On($"{name}{i}.test", system.Images.Good(i))])]);

    /// <summary>The URL under another name of its host.</summary>
    private static string On(string name, string url) => new UriBuilder(url) { Host = name }.Uri.AbsoluteUri;

    private static async Task<Guid?> LeaseOfAsync(DarkroomSystem system, ServiceProcess worker) => (Guid?)await system.Database.DataSource
        .Sql("select id from processes where pid = @pid order by heartbeat_at desc limit 1").With("pid", worker.Id).ExecuteScalarAsync();
}
