using Xunit.Abstractions;

namespace Darkroom.Tests.Faults;

/// <summary>Every request to Postgres, Redis and S3 may fail before or after its effect, without the caller learning which.</summary>
public sealed class StoreFaultTests(ITestOutputHelper output)
{
    private static readonly FaultKind[] Ambiguous = [FaultKind.CutBefore, FaultKind.CutAfter, FaultKind.SilentAfter, FaultKind.Slow];

    /// <summary>F4: an effect whose answer is lost, at 5 % on all three stores at once.</summary>
    [Theory]
    [Seeds(1)]
    public async Task One_request_in_twenty_to_each_store_fails_before_or_after_its_effect(int seed)
    {
        await using var lab = await FaultLab.StartAsync(output, workers: 2);
        var postgres = new FaultDice((ulong)seed, 0.05, FaultKind.CutBefore, FaultKind.CutAfter, FaultKind.Slow);
        var redis = new FaultDice((ulong)seed + 1000, 0.05, FaultKind.CutBefore, FaultKind.CutAfter, FaultKind.Slow);
        var s3 = new FaultDice((ulong)seed + 2000, 0.05, [.. Ambiguous, FaultKind.ErrorBefore, FaultKind.SlowDownBefore, FaultKind.ErrorAfter, FaultKind.Corrupt]);
        var requests = await lab.UploadAsync(LongRun.Or(150, 1_700));
        lab.Postgres.Before = text => Task.FromResult(postgres.Roll(text.Length > 120 ? text[..120] : text));
        lab.Redis.Before = _ => Task.FromResult(redis.Roll("script"));
        lab.S3.Before = request => Task.FromResult(s3.Roll(request.ToString()));

        await lab.CheckAsync(
            requests, $"Seed {seed}", LongRun.Or(TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(15)));
        output.WriteLine($"Postgres: {postgres.Summary}; Redis: {redis.Summary}; S3: {s3.Summary}");
        Assert.All([postgres, redis, s3], dice => Assert.True(dice.Injected > 0));
    }

    /// <summary>F8: a fifth of all requests to S3 fails; all images end well, with at most three times the requests.</summary>
    [Theory]
    [Seeds(1)]
    public async Task One_request_in_five_to_S3_fails_in_any_way(int seed)
    {
        await using var lab = await FaultLab.StartAsync(output, workers: 2);
        var s3 = new FaultDice(
            (ulong)seed, 0.2,
            FaultKind.ErrorBefore, FaultKind.SlowDownBefore, FaultKind.ErrorAfter, FaultKind.DiskFullBefore, FaultKind.ErrorInBody, FaultKind.Corrupt, FaultKind.CutAfter);
        var (images, before) = (LongRun.Or(150, 500), lab.S3.Requests);
        var requests = await lab.UploadAsync(images);
        lab.S3.Before = request => Task.FromResult(s3.Roll(request.ToString()));

        await lab.CheckAsync(requests, $"Seed {seed}", TimeSpan.FromMinutes(LongRun.Or(4, 10)));
        output.WriteLine($"{s3.Summary}; {lab.S3.Requests - before} requests for {2 * images} images");
        // Two objects per image that succeeds, nine in ten; the requests of the oracle go to S3 directly.
        Assert.InRange(lab.S3.Requests - before, 1, 3 * 2 * 2 * images);
    }
}
