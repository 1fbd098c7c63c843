using System.Globalization;
using Xunit.Abstractions;

namespace Darkroom.Tests.Faults;

/// <summary>F11: the clocks of the workers are wrong. Leases use the database's clock, and durations one that cannot jump.</summary>
public sealed class ClockTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Workers_whose_clocks_are_two_hours_apart_steal_nothing_block_nothing_and_sign_with_the_right_time()
    {
        await using var lab = await FaultLab.StartAsync(output);
        await lab.System.StartWorkerAsync(new WrongTime(TimeSpan.FromHours(1)));
        await lab.System.StartWorkerAsync(new WrongTime(TimeSpan.FromHours(-1)));
        var requests = await lab.UploadAsync(100);

        await lab.CheckAsync(requests, "One clock is an hour ahead, one behind", TimeSpan.FromMinutes(2));
        var now = TimeProvider.System.GetUtcNow();
        Assert.NotEmpty(lab.System.Webhooks.All);
        foreach (var webhook in lab.System.Webhooks.All)
        {
            var signed = DateTimeOffset.FromUnixTimeSeconds(long.Parse(webhook.Headers["webhook-timestamp"], CultureInfo.InvariantCulture));
            // Receivers tolerate five minutes.
            Assert.InRange(now - signed, TimeSpan.FromMinutes(-5), TimeSpan.FromMinutes(5));
        }
    }

    private sealed class WrongTime(TimeSpan offset) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + offset;
    }
}
