using Darkroom.Api.RateLimits;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Darkroom.Tests.RateLimits;

public sealed class TokenBucketTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly LocalBuckets _buckets;

    // One token per second, five at once.
    public TokenBucketTests() =>
        _buckets = new LocalBuckets(_time, Options.Create(new RateLimitOptions { RequestsPerMinute = 60, Burst = 5 }));

    [Fact]
    public void A_full_bucket_gives_its_burst_and_then_one_token_each_interval()
    {
        Assert.Equal([(true, 4), (true, 3), (true, 2), (true, 1), (true, 0), (false, 0)], Take(6));
        _time.Advance(TimeSpan.FromMilliseconds(999));
        Assert.Equal([(false, 0)], Take(1));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal([(true, 0), (false, 0)], Take(2));
    }

    [Fact]
    public void A_bucket_never_holds_more_than_its_burst()
    {
        Take(3);
        _time.Advance(TimeSpan.FromDays(3));

        Assert.Equal([(true, 4)], Take(1));
    }

    [Fact]
    public void A_refusal_takes_nothing_and_says_when_the_next_token_comes()
    {
        Take(5);
        _time.Advance(TimeSpan.FromMilliseconds(300));

        Assert.All(Enumerable.Range(0, 100), _ => Assert.Equal(TimeSpan.FromMilliseconds(700), _buckets.Take("key").NextIn));
        _time.Advance(TimeSpan.FromMilliseconds(700));
        Assert.Equal([(true, 0)], Take(1));
    }

    [Fact]
    public void Over_any_minute_a_key_gets_no_more_than_its_burst_and_the_sustained_rate()
    {
        var taken = 0;
        for (var i = 0; i < 60_000; i++, _time.Advance(TimeSpan.FromMilliseconds(1)))
            taken += _buckets.Take("key").Taken ? 1 : 0;

        Assert.Equal(5 + 59, taken);
    }

    [Fact]
    public void Refused_callers_are_told_to_come_back_one_after_another()
    {
        var returns = new ReturnTimes(_time, Options.Create(new RateLimitOptions { RequestsPerMinute = 60, MaxRetryAfter = TimeSpan.FromSeconds(4) }));
        double[] Seconds(int callers) => [.. Enumerable.Range(0, callers).Select(_ => returns.Take("key", TimeSpan.FromSeconds(0.5)).TotalSeconds)];

        Assert.Equal([0.5, 1.5, 2.5, 3.5, 4, 4], Seconds(6));
        Assert.Equal(0.5, returns.Take("another", TimeSpan.FromSeconds(0.5)).TotalSeconds);
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal([2, 3], Seconds(2));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal([0.5, 1.5], Seconds(2));
        // A bucket that refills more slowly than that has the last word.
        Assert.Equal(10, returns.Take("slow", TimeSpan.FromSeconds(10)).TotalSeconds);
    }

    [Fact]
    public void Keys_have_their_own_buckets()
    {
        Take(6);

        Assert.Equal((true, 4), Result(_buckets.Take("another")));
    }

    [Fact]
    public void Buckets_that_are_full_again_are_forgotten()
    {
        for (var key = 0; key < 50_000; key++)
        {
            _buckets.Take($"{key}");
            _time.Advance(TimeSpan.FromMilliseconds(10));
        }

        Assert.InRange(_buckets.Tracked, 100, 1_200);
    }

    [Theory]
    [InlineData(0, 10)]
    [InlineData(10, 0)]
    [InlineData(-1, 10)]
    public void Zero_is_refused_because_it_could_mean_either(int rate, int burst)
    {
        var options = new RateLimitOptions { RequestsPerMinute = rate, Burst = burst };

        var problem = Assert.Throws<System.ComponentModel.DataAnnotations.ValidationException>(
            () => System.ComponentModel.DataAnnotations.Validator.ValidateObject(options, new(options), validateAllProperties: true));

        Assert.Contains("RateLimit:Enabled=false turns the limit off", problem.Message, StringComparison.Ordinal);
    }

    private List<(bool Taken, int Remaining)> Take(int count) => [.. Enumerable.Range(0, count).Select(_ => Result(_buckets.Take("key")))];

    private static (bool Taken, int Remaining) Result(BucketReading reading) => (reading.Taken, reading.Remaining);
}
