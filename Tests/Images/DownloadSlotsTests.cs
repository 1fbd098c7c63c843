using Darkroom.Data;
using Darkroom.Images;
using Microsoft.Extensions.Time.Testing;

namespace Darkroom.Tests.Images;

/// <summary>How owners share the download slots of a process.</summary>
public sealed class DownloadSlotsTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly ImageWorkOptions _options = new() { Downloads = 16 };
    private readonly DownloadSlots _slots;
    private readonly OwnerId _first = new(Guid.NewGuid());
    private readonly OwnerId _second = new(Guid.NewGuid());
    private readonly OwnerId _third = new(Guid.NewGuid());

    public DownloadSlotsTests() => _slots = new DownloadSlots(_options, minRate: 1_000, _time);

    public void Dispose() => _slots.Dispose();

    [Fact]
    public async Task An_owner_alone_leaves_the_last_quarter_free_and_another_starts_at_once()
    {
        var first = Enter(_first, 20);
        Assert.Equal(12, Started(first));

        var second = Enter(_second, 4);

        Assert.Equal(4, Started(second));
        // A slot that becomes free goes to whoever has fewer.
        var next = Enter(_second, 1);
        (await first[0]).Dispose();
        await next[0];
        Assert.Equal(12, Started(first));
    }

    [Fact]
    public async Task A_released_slot_is_used_again()
    {
        var downloads = Enter(_first, 13);
        Assert.False(downloads[12].IsCompleted);

        (await downloads[0]).Dispose();
        (await downloads[0]).Dispose();

        await downloads[12];
        Assert.False(Enter(_first, 1)[0].IsCompleted);
    }

    [Fact]
    public async Task A_cancelled_wait_takes_no_slot()
    {
        using var cancel = new CancellationTokenSource();
        var held = Enter(_first, 12);
        var waiting = _slots.Begin(_first, inSlowLane: false).EnterAsync(TimeSpan.Zero, cancel.Token);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        (await held[0]).Dispose();
        Assert.True(Enter(_first, 1)[0].IsCompleted);
    }

    [Fact]
    public async Task The_slowest_downloads_give_way_to_an_owner_without_its_share()
    {
        var first = await Task.WhenAll(Enter(_first, 12));
        var second = await Task.WhenAll(Enter(_second, 4));
        for (var i = 0; i < first.Length; i++)
            first[i].Received(1_000 * (i + 1));
        var third = Enter(_third, 2);
        Assert.Equal(0, Started(third));

        // Too young to judge.
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(Preempted(first));
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal([0, 1], Preempted(first));
        Assert.Empty(Preempted(second));
        first[0].Dispose();
        first[1].Dispose();
        await Task.WhenAll(third);
    }

    [Fact]
    public async Task The_required_rate_rises_only_while_slots_are_short()
    {
        var first = await Task.WhenAll(Enter(_first, 12));
        await Task.WhenAll(Enter(_second, 4));
        var third = Enter(_third, 1);
        for (var second = 1; second <= 5; second++)
        {
            foreach (var slot in first)
                slot.Received(40_000L * second);
            _time.Advance(TimeSpan.FromSeconds(1));
            Assert.Empty(Preempted(first));
        }

        foreach (var slot in first)
            slot.Received(200_000);
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Single(Preempted(first));
        first[Preempted(first).Single()].Dispose();
        await third[0];
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Single(Preempted(first));
    }

    [Fact]
    public async Task A_fast_download_never_gives_way()
    {
        var first = await Task.WhenAll(Enter(_first, 12));
        await Task.WhenAll(Enter(_second, 4));
        var third = Enter(_third, 1);

        for (var second = 1; second <= 60; second++)
        {
            foreach (var slot in first)
                slot.Received(300_000L * second);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Empty(Preempted(first));
        Assert.False(third[0].IsCompleted);
    }

    [Fact]
    public async Task Downloads_that_only_wait_are_the_first_to_make_room_for_images_of_others()
    {
        var running = await Task.WhenAll(Enter(_first, 12));
        var waiting = _slots.Begin(_first, inSlowLane: false);
        var spare = new Dictionary<OwnerId, int> { [_first] = 3 };

        _slots.MakeRoom(1, spare);
        Assert.True(waiting.Preempted.IsCancellationRequested);
        Assert.Empty(Preempted(running));

        _time.Advance(TimeSpan.FromSeconds(3));
        _slots.MakeRoom(10, spare);
        Assert.Equal(3, Preempted(running).Length);
    }

    [Fact]
    public async Task The_slow_lane_has_slots_of_its_own_and_a_bounded_wait()
    {
        await Task.WhenAll(Enter(_first, 12));
        using var one = await SlowAsync(minutes: 1);
        var two = await SlowAsync(minutes: 1);
        var late = SlowAsync(minutes: 1);
        var next = SlowAsync(minutes: 3);

        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Null(await late);
        two!.Dispose();

        Assert.NotNull(await next);

        Task<IDisposable?> SlowAsync(int minutes) => _slots.Begin(_first, inSlowLane: true).EnterAsync(TimeSpan.FromMinutes(minutes), default);
    }

    private List<Task<Running>> Enter(OwnerId owner, int count) => [.. Enumerable.Range(0, count).Select(_ => EnterAsync(owner))];

    private Task<Running> EnterAsync(OwnerId owner)
    {
        var download = _slots.Begin(owner, inSlowLane: false);
        var slot = download.EnterAsync(TimeSpan.Zero, default);
        return slot.ContinueWith(
            entered => new Running(download, entered.Result!), default, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private static int Started(IEnumerable<Task<Running>> downloads) => downloads.Count(download => download.IsCompleted);

    private static int[] Preempted(Running[] downloads) =>
        [.. Enumerable.Range(0, downloads.Length).Where(i => downloads[i].Preempted.IsCancellationRequested)];

    private sealed class Running(Download download, IDisposable slot) : IDisposable
    {
        public CancellationToken Preempted => download.Preempted;

        public void Received(long bytes) => download.Received(bytes);

        public void Dispose() => slot.Dispose();
    }
}
