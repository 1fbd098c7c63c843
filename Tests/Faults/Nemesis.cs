using System.Diagnostics;
using Darkroom.Data;
using Darkroom.Tests.EndToEnd;
using Darkroom.Tests.Infrastructure;

namespace Darkroom.Tests.Faults;

/// <summary>
/// Injects process and server faults one after another, in an order that depends only on the seed, and measures how long it takes each time
/// until another image ends.
/// </summary>
internal sealed class Nemesis(FaultLab lab, RestartablePostgres? postgres, NameServer? names, int seed)
{
    private static readonly TimeSpan PastLease = TimeSpan.FromSeconds(4);

    private readonly Random _random = new(seed);
    private readonly List<ServiceProcess> _workers = [];
    private readonly List<string> _history = [];

    /// <summary>What was done, in order, with the seconds until the next image ended.</summary>
    public string History => $"Seed {seed} (repeat it with DARKROOM_FAULT_SEED={seed}): {string.Join(", ", _history)}";

    /// <summary>The longest time from a fault until the next image ended.</summary>
    public TimeSpan WorstRecovery { get; private set; }

    public void StartWorkers(int count)
    {
        for (var worker = 0; worker < count; worker++)
            _workers.Add(StartWorker());
    }

    /// <summary>Injects this many faults. Ends early when only images that are held back are left.</summary>
    /// <param name="faults">How many.</param>
    /// <param name="held">Images that cannot end yet.</param>
    public async Task RunAsync(int faults, long held)
    {
        (string Name, Func<Task> Do)[] all =
        [
            ("kill", KillAsync),
            ("pause past the lease", PauseAsync),
            ("terminate sessions", () => lab.System.Database.BreakConnectionsAsync()),
            ("flush Redis", () => lab.System.Redis.FlushAsync()),
            ("Redis gone for 3 s", RestartRedisAsync),
            ("S3 fails for 3 s", FailS3Async),
            ("cut from Postgres for 5 s", CutPostgresAsync),
            .. postgres is null ? [] : ((string, Func<Task>)[])[("restart Postgres", postgres.RestartAsync)],
            .. names is null ? [] : ((string, Func<Task>)[])[PickLookup(names)],
        ];
        // Each kind once, then any: few faults are still different ones.
        var order = all.OrderBy(_ => _random.Next()).Concat(Enumerable.Range(0, Math.Max(0, faults - all.Length)).Select(_ => all[_random.Next(all.Length)]));
        foreach (var (name, act) in order.Take(faults))
        {
            if (await LeftAsync() <= held)
                break;
            await act();
            lab.System.Database.DataSource.Clear();
            var recovery = await MeasureAsync(held);
            WorstRecovery = recovery > WorstRecovery ? recovery : WorstRecovery;
            _history.Add($"{name} {recovery.TotalSeconds:0.0} s");
        }
    }

    private async Task KillAsync()
    {
        var at = _random.Next(_workers.Count);
        await _workers[at].KillAsync();
        _workers[at] = StartWorker();
    }

    private ServiceProcess StartWorker() => names is null ? lab.System.StartWorkerProcess() : names.Use(() => lab.System.StartWorkerProcess());

    private async Task PauseAsync()
    {
        var worker = _workers[_random.Next(_workers.Count)];
        await worker.PauseAsync();
        await Task.Delay(PastLease, TimeProvider.System);
        await worker.ResumeAsync();
    }

    private async Task RestartRedisAsync()
    {
        await lab.System.Redis.StopAsync();
        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System);
        await lab.System.Redis.StartAsync();
    }

    private async Task FailS3Async()
    {
        var dice = new FaultDice(
            (ulong)_random.Next(), 0.5, FaultKind.ErrorBefore, FaultKind.SlowDownBefore, FaultKind.ErrorAfter, FaultKind.Slow, FaultKind.Corrupt, FaultKind.CutAfter);
        lab.S3.Before = request => Task.FromResult(dice.Roll(request.ToString()));
        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System);
        lab.S3.Before = null;
    }

    private (string Name, Func<Task> Do) PickLookup(NameServer names)
    {
        (string, NameAnswer)[] all =
        [
            ("lookups hang for 5 s", NameAnswer.None),
            ("lookups fail for 5 s", NameAnswer.Failure),
            ("private address for 5 s", NameAnswer.Of("10.0.0.1")),
            ("address without a server for 5 s", NameAnswer.Of("127.0.0.2")),
        ];
        var (name, answer) = all[_random.Next(all.Length)];
        return (name, () => ResolveAsync(names, answer));
    }

    private static async Task ResolveAsync(NameServer names, NameAnswer answer)
    {
        var usual = names.Answer;
        names.Answer = _ => answer;
        await Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System);
        names.Answer = usual;
    }

    private async Task CutPostgresAsync()
    {
        lab.Postgres.Down();
        await Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System);
        lab.Postgres.Up();
    }

    /// <summary>Images that have not ended, of all requests.</summary>
    private async Task<long> LeftAsync()
    {
        try
        {
            return (long)(await lab.System.Database.DataSource
                .Sql("select sum(no_of_images - images_succeeded - images_failed) from csv_data_table").ExecuteScalarAsync())!;
        }
        catch (Npgsql.NpgsqlException)
        {
            return long.MaxValue;
        }
    }

    private async Task<TimeSpan> MeasureAsync(long held)
    {
        var clock = Stopwatch.StartNew();
        // The fault may have hit this connection too.
        var before = await Eventually.GetAsync(LeftAsync, left => left < long.MaxValue, $"{History}: the database answers");
        await Eventually.GetAsync(LeftAsync, left => left < before || left <= held, $"{History}: another image ends");
        return clock.Elapsed;
    }
}
