using Darkroom.Data;
using Darkroom.Egress;
using Microsoft.Extensions.Time.Testing;

namespace Darkroom.Tests.Egress;

/// <summary>How owners share the connections to one host.</summary>
public sealed class PerHostLimiterTests
{
    private const string Host = "cdn.test";
    private static readonly TimeSpan Wait = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider _time = new();
    private readonly PerHostLimiter _hosts;
    private readonly OwnerId _crowd = new(Guid.NewGuid());
    private readonly OwnerId _other = new(Guid.NewGuid());

    public PerHostLimiterTests() => _hosts = new PerHostLimiter(4, 1_000, _time);

    [Fact]
    public async Task The_next_free_place_goes_to_the_owner_who_has_none()
    {
        var crowd = Enter(_crowd, 20);
        Assert.Equal(4, crowd.Count(IsIn));
        var other = Enter(_other, 3);
        Assert.DoesNotContain(other, IsIn);

        await LeaveAsync(crowd[0]);
        await LeaveAsync(crowd[1]);
        await Task.WhenAll(other[0], other[1]);
        Assert.False(IsIn(crowd[4]));

        // Both have two: whoever leaves one is next.
        await LeaveAsync(other[0]);
        await other[2];
        await LeaveAsync(crowd[2]);
        await crowd[4];
        Assert.False(IsIn(crowd[5]));
    }

    [Fact]
    public async Task An_owner_alone_has_all_places_and_its_requests_keep_their_order()
    {
        var crowd = Enter(_crowd, 6);

        await LeaveAsync(crowd[3]);
        await crowd[4];

        Assert.False(IsIn(crowd[5]));
    }

    [Fact]
    public async Task A_place_that_is_left_twice_is_given_once()
    {
        var crowd = Enter(_crowd, 6);

        await LeaveAsync(crowd[0]);
        await LeaveAsync(crowd[0]);

        await crowd[4];
        Assert.False(IsIn(crowd[5]));
    }

    [Fact]
    public async Task Whoever_waits_too_long_or_is_cancelled_takes_no_place()
    {
        using var cancel = new CancellationTokenSource();
        var crowd = Enter(_crowd, 4);
        var cancelled = _hosts.EnterAsync(Host, _other, isPaced: false, Wait, cancel.Token);
        var late = Enter(_other, 1)[0];

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        _time.Advance(Wait);
        Assert.Null(await late);

        foreach (var place in crowd)
            await LeaveAsync(place);
        Assert.Equal(4, Enter(_crowd, 5).Count(IsIn));
    }

    [Fact]
    public async Task A_host_is_forgotten_when_nobody_uses_it_and_it_may_be_asked_again()
    {
        var places = Enter(_crowd, 2);
        Assert.Equal(1, _hosts.Count);

        foreach (var place in places)
            await LeaveAsync(place);

        Assert.Equal(0, _hosts.Count);
    }

    private List<Task<IDisposable?>> Enter(OwnerId owner, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => _hosts.EnterAsync(Host, owner, isPaced: false, Wait, CancellationToken.None))];

    private static bool IsIn(Task<IDisposable?> place) => place.IsCompleted;

    private static async Task LeaveAsync(Task<IDisposable?> place) => (await place)!.Dispose();
}
