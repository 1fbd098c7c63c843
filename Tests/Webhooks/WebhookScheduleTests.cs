using Darkroom.Webhooks;
using Microsoft.Extensions.Time.Testing;

namespace Darkroom.Tests.Webhooks;

public sealed class WebhookScheduleTests
{
    private static readonly TimeSpan Day = TimeSpan.FromHours(24);

    [Fact]
    public void A_delivery_is_tried_ten_times_over_three_days()
    {
        var time = new FakeTimeProvider();
        var start = time.GetUtcNow();
        var attempts = new List<TimeSpan>();
        while (true)
        {
            attempts.Add(time.GetUtcNow() - start);
            if (WebhookSchedule.DelayAfter(attempts.Count, random: 0.5, retryAfter: null, Day) is not { } delay)
                break;
            time.Advance(delay);
        }

        Assert.Equal(WebhookSchedule.MaxAttempts, attempts.Count);
        Assert.Equal(
            ["0:00:00", "0:00:05", "0:05:05", "0:35:05", "2:35:05", "7:35:05", "17:35:05", "1:7:35:05", "2:3:35:05", "3:3:35:05"],
            attempts.Select(at => at.ToString("g")));
    }

    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 300)]
    [InlineData(5, 18_000)]
    [InlineData(9, 86_400)]
    public void Delays_have_ten_percent_jitter(int failed, double seconds)
    {
        var least = WebhookSchedule.DelayAfter(failed, random: 0, retryAfter: null, Day)!.Value.TotalSeconds;
        var most = WebhookSchedule.DelayAfter(failed, random: 1, retryAfter: null, Day)!.Value.TotalSeconds;

        Assert.Equal(seconds * 0.9, least, precision: 3);
        Assert.Equal(seconds * 1.1, most, precision: 3);
    }

    [Theory]
    [InlineData(60, 60)]
    [InlineData(1, 5)]
    [InlineData(10_000_000, 86_400)]
    public void Retry_after_can_lengthen_the_delay_up_to_a_limit_but_not_shorten_it(double asked, double seconds)
    {
        var delay = WebhookSchedule.DelayAfter(failed: 1, random: 0.5, TimeSpan.FromSeconds(asked), Day);

        Assert.Equal(TimeSpan.FromSeconds(seconds), delay);
    }

    [Fact]
    public void Retry_after_does_not_add_an_attempt() =>
        Assert.Null(WebhookSchedule.DelayAfter(WebhookSchedule.MaxAttempts, random: 0.5, TimeSpan.FromSeconds(1), Day));
}
