using System.Net;
using Darkroom.Api.RateLimits;
using Darkroom.Tests.Api;
using Darkroom.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Darkroom.Tests.RateLimits;

/// <summary>The API responds, and limits, whatever Redis does.</summary>
#pragma warning disable CA1001 // The fields are disposed of by xunit's DisposeAsync.
public sealed class RateLimitOutageTests : IAsyncLifetime
#pragma warning restore CA1001
{
    private const int Burst = 10;

    private TestDatabase _database = null!;
    private TestS3 _s3 = null!;
    private TestRedis _redis = null!;
    private TcpRelay _wire = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _s3 = await TestS3.StartAsync();
        _redis = await TestRedis.StartAsync();
        _wire = new TcpRelay("127.0.0.1", _redis.Port);
    }

    public async Task DisposeAsync()
    {
        _wire.Up();
        _wire.Unhang();
        await _wire.DisposeAsync();
        await _redis.DisposeAsync();
        await _s3.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Two_processes_share_a_keys_limit()
    {
        await using var first = await StartAsync();
        await using var second = await StartAsync();
        using var client = await first.ClientAsync();
        using var elsewhere = new HttpClient { BaseAddress = second.Address, DefaultRequestHeaders = { Authorization = client.DefaultRequestHeaders.Authorization } };

        for (var i = 0; i < Burst; i++)
            await AssertStatusAsync(i % 2 == 0 ? client : elsewhere, HttpStatusCode.OK);

        await AssertStatusAsync(client, HttpStatusCode.TooManyRequests);
        await AssertStatusAsync(elsewhere, HttpStatusCode.TooManyRequests);
    }

    [Fact]
    public async Task When_Redis_goes_away_the_process_goes_on_counting_where_it_was_and_also_counts_in_Redis_when_it_is_back()
    {
        await using var api = await StartAsync();
        using var client = await api.ClientAsync();
        for (var i = 0; i < 6; i++)
            await AssertStatusAsync(client, HttpStatusCode.OK);

        _wire.Down();
        for (var i = 0; i < Burst - 6; i++)
            await AssertStatusAsync(client, HttpStatusCode.OK);
        await AssertStatusAsync(client, HttpStatusCode.TooManyRequests);
        Assert.False(Shared(api).InUse);
        using var health = await api.Anonymous.GetAsync("/health");
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);

        _wire.Up();
        await Eventually.TrueAsync(() => Task.FromResult(Shared(api).InUse));
        // Redis has counted only the first six, but this process knows better.
        await AssertStatusAsync(client, HttpStatusCode.TooManyRequests);
        await using var second = await StartAsync();
        using var elsewhere = new HttpClient { BaseAddress = second.Address, DefaultRequestHeaders = { Authorization = client.DefaultRequestHeaders.Authorization } };
        for (var i = 0; i < Burst - 6; i++)
            await AssertStatusAsync(elsewhere, HttpStatusCode.OK);
        await AssertStatusAsync(elsewhere, HttpStatusCode.TooManyRequests);
    }

    /// <summary>The client would wait for Redis for ten minutes, and the call may take only two seconds.</summary>
    [Fact]
    public async Task No_call_waits_for_a_Redis_that_hangs()
    {
        await using var api = await StartAsync();
        using var client = await api.ClientAsync();
        await AssertStatusAsync(client, HttpStatusCode.OK);

        _wire.Hang();
        var calls = await Task.WhenAll(Enumerable.Range(0, Burst).Select(_ => client.GetAsync("/v1/requests")));

        Assert.Equal(Burst - 1, calls.Count(call => call.StatusCode == HttpStatusCode.OK));
        Assert.Equal(1, calls.Count(call => call.StatusCode == HttpStatusCode.TooManyRequests));
        Assert.False(Shared(api).InUse);

        _wire.Unhang();
        await Eventually.TrueAsync(() => Task.FromResult(Shared(api).InUse));
    }

    [Fact]
    public async Task The_API_starts_and_limits_without_Redis_and_uses_it_once_it_is_there()
    {
        _wire.Down();
        await using var api = await StartAsync(waitForRedis: false);
        using var client = await api.ClientAsync();

        for (var i = 0; i < Burst; i++)
            await AssertStatusAsync(client, HttpStatusCode.OK);
        await AssertStatusAsync(client, HttpStatusCode.TooManyRequests);

        _wire.Up();
        await Eventually.TrueAsync(() => Task.FromResult(Shared(api).InUse));
        using var other = await api.ClientAsync();
        await AssertStatusAsync(other, HttpStatusCode.OK);
    }

    private async Task<TestApi> StartAsync(bool waitForRedis = true)
    {
        var api = await TestApi.StartAsync(
            _database.ConnectionString, _s3.ConnectionString,
            $"ConnectionStrings:redis=127.0.0.1:{_wire.Port},connectTimeout=5000,asyncTimeout=600000,syncTimeout=600000",
            // A bucket that gets no token during a test.
            "RateLimit:RequestsPerMinute=1", $"RateLimit:Burst={Burst}", "RateLimit:RedisRetry=00:00:00.2");
        if (waitForRedis)
            await Eventually.TrueAsync(() => Task.FromResult(Shared(api).InUse));
        return api;
    }

    private static SharedBuckets Shared(TestApi api) => api.Services.GetRequiredService<SharedBuckets>();

    private static async Task AssertStatusAsync(HttpClient client, HttpStatusCode expected)
    {
        using var response = await client.GetAsync("/v1/requests");
        Assert.Equal(expected, response.StatusCode);
    }
}
