using Darkroom.Data;
using Darkroom.Images;
using Microsoft.Extensions.Options;

namespace Darkroom.Tests.Images;

public sealed class PixelBudgetTests
{
    private static readonly OwnerId Alice = new(Guid.NewGuid());
    private static readonly OwnerId Bob = new(Guid.NewGuid());

    [Fact]
    public async Task Images_beyond_the_slots_wait_until_one_leaves()
    {
        var budget = Budget(slots: 2, megapixels: 100);
        var first = await budget.EnterAsync(Alice, 1, CancellationToken.None);
        await budget.EnterAsync(Alice, 1, CancellationToken.None);
        var third = budget.EnterAsync(Alice, 1, CancellationToken.None);
        Assert.False(third.IsCompleted);
        first.Dispose();
        first.Dispose();
        await third;
        Assert.Equal(2, budget.ImagesInFlight);
    }

    [Fact]
    public async Task Large_image_waits_for_room_and_smaller_ones_do_not_overtake_it()
    {
        var budget = Budget(slots: 10, megapixels: 100);
        var running = await budget.EnterAsync(Alice, 60_000_000, CancellationToken.None);
        var large = budget.EnterAsync(Alice, 60_000_000, CancellationToken.None);
        var small = budget.EnterAsync(Alice, 1, CancellationToken.None);
        Assert.False(large.IsCompleted || small.IsCompleted);
        running.Dispose();
        await large;
        await small;
        Assert.Equal(60_000_001, budget.PixelsInFlight);
    }

    [Fact]
    public async Task Cancelled_waiter_makes_room_for_the_next()
    {
        var budget = Budget(slots: 10, megapixels: 100);
        var running = await budget.EnterAsync(Alice, 60_000_000, CancellationToken.None);
        using var cancellation = new CancellationTokenSource();
        var large = budget.EnterAsync(Alice, 60_000_000, cancellation.Token);
        var small = budget.EnterAsync(Alice, 1, CancellationToken.None);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => large);
        (await small).Dispose();
        running.Dispose();
        Assert.Equal((0, 0), (budget.PixelsInFlight, budget.ImagesInFlight));
    }

    [Fact]
    public async Task Image_above_the_whole_budget_runs_alone()
    {
        var budget = Budget(slots: 10, megapixels: 50);
        using var huge = await budget.EnterAsync(Alice, long.MaxValue, CancellationToken.None);
        Assert.False(budget.EnterAsync(Alice, 1, CancellationToken.None).IsCompleted);
    }

    [Fact]
    public async Task Owner_who_has_had_least_comes_next_and_then_they_take_turns()
    {
        var budget = Budget(slots: 1, megapixels: 100);
        for (var image = 0; image < 3; image++)
            (await budget.EnterAsync(Alice, 1, CancellationToken.None)).Dispose();

        var order = await OrderAsync(budget, [.. Enumerable.Repeat(Alice, 3), .. Enumerable.Repeat(Bob, 6)]);

        Assert.Equal([Bob, Bob, Bob, Alice, Bob, Alice, Bob, Alice, Bob], order);
        Assert.Equal(0, budget.ImagesInFlight);
    }

    [Fact]
    public async Task Pixels_count_rather_than_images()
    {
        var budget = Budget(slots: 1, megapixels: 100);
        (await budget.EnterAsync(Alice, 4, CancellationToken.None)).Dispose();
        Assert.Equal([Bob, Bob, Bob, Alice], await OrderAsync(budget, [Alice, Bob, Bob, Bob]));
    }

    [Fact]
    public async Task What_an_owner_had_is_soon_forgotten()
    {
        var budget = Budget(slots: 1, megapixels: 100);
        (await budget.EnterAsync(Alice, 1_000_000, CancellationToken.None)).Dispose();
        for (var image = 0; image < 64; image++)
            (await budget.EnterAsync(Bob, 1, CancellationToken.None)).Dispose();
        Assert.Equal([Alice, Bob], await OrderAsync(budget, [Bob, Alice]));
    }

    [Fact]
    public async Task Light_owner_does_not_overtake_a_large_image_whose_turn_it_is()
    {
        var budget = Budget(slots: 10, megapixels: 100);
        var running = await budget.EnterAsync(Alice, 60_000_000, CancellationToken.None);
        var large = budget.EnterAsync(Alice, 60_000_000, CancellationToken.None);
        var small = budget.EnterAsync(Bob, 1, CancellationToken.None);
        Assert.False(large.IsCompleted || small.IsCompleted);
        running.Dispose();
        await large;
        await small;
    }

    /// <summary>The owners of images that wait for one slot, in the order in which they get it.</summary>
    private static async Task<List<OwnerId>> OrderAsync(PixelBudget budget, OwnerId[] images)
    {
        var order = new List<OwnerId>();

        async Task RunAsync(OwnerId owner)
        {
            using (await budget.EnterAsync(owner, 1, CancellationToken.None))
                lock (order)
                    order.Add(owner);
        }

        var first = await budget.EnterAsync(new OwnerId(Guid.NewGuid()), 1, CancellationToken.None);
        Task[] all = [.. images.Select(RunAsync)];
        first.Dispose();
        await Task.WhenAll(all);
        return order;
    }

    private static PixelBudget Budget(int slots, double megapixels) =>
        new(Options.Create(new ImageOptions { CodecSlots = slots, MegapixelsInFlight = megapixels }));
}
