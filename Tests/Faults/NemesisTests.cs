using Darkroom.Tests.EndToEnd;
using Xunit.Abstractions;

namespace Darkroom.Tests.Faults;

/// <summary>F1, F6, F7, F8, F13: processes and servers fail one after another while two owners' requests run.</summary>
public sealed class NemesisTests(ITestOutputHelper output)
{
    [Theory]
    [Seeds(1)]
    public async Task Requests_survive_a_series_of_faults(int seed)
    {
        await using var postgres = await RestartablePostgres.StartAsync();
        await using var lab = await FaultLab.StartAsync(output, postgres: postgres.ConnectionString);
        await using var names = NameServer.WhyMissing is null ? new NameServer { Answer = _ => NameAnswer.Of("127.0.0.1") } : null;
        lab.ImageHost = names is null ? null : "images.test";
        var nemesis = new Nemesis(lab, postgres, names, seed);
        nemesis.StartWorkers(2);
        const int heldBack = 8;
        var requests = await lab.UploadAsync(LongRun.Or(200, 2_000), heldBack);

        // Of each product that is held back, one of two images; of each of the two requests.
        await nemesis.RunAsync(LongRun.Or(4, 24), heldBack);
        lab.System.Images.OpenGate();

        await lab.CheckAsync(requests, nemesis.History, TimeSpan.FromMinutes(LongRun.Or(3, 10)));
        output.WriteLine($"{nemesis.History}; worst recovery {nemesis.WorstRecovery.TotalSeconds:0.0} s");
        Assert.InRange(nemesis.WorstRecovery, TimeSpan.Zero, TimeSpan.FromSeconds(45));
    }
}
