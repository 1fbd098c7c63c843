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
    public async Task Owners_take_turns_however_many_images_one_of_them_has()
    {
        var budget = Budget(slots: 1, megapixels: 100);
        var running = await budget.EnterAsync(Alice, 1, CancellationToken.None);
        var order = new List<(OwnerId Owner, int Image)>();

        async Task RunAsync(OwnerId owner, int image)
        {
            using (await budget.EnterAsync(owner, 1, CancellationToken.None))
                lock (order)
                    order.Add((owner, image));
        }

        Task[] all = [.. Enumerable.Range(1, 5).Select(image => RunAsync(Alice, image)), RunAsync(Bob, 1), RunAsync(Bob, 2)];
        running.Dispose();
        await Task.WhenAll(all);

        Assert.Equal([(Alice, 1), (Bob, 1), (Alice, 2), (Bob, 2), (Alice, 3), (Alice, 4), (Alice, 5)], order);
        Assert.Equal(0, budget.ImagesInFlight);
    }

    private static PixelBudget Budget(int slots, double megapixels) =>
        new(Options.Create(new ImageOptions { CodecSlots = slots, MegapixelsInFlight = megapixels }));
}
