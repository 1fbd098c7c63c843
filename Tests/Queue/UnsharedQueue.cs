using Darkroom.Data;
using Darkroom.Engine.Bodies;
using Darkroom.Queue;
using Darkroom.Tests.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Darkroom.Tests.Queue;

/// <summary>Queues for tests, and calls for those in which places are not shared: one owner, who may have all of them.</summary>
internal static class UnsharedQueue
{
    private static readonly OwnerId Owner = new(Guid.NewGuid());

    public static async Task<ImageQueue> QueueOn(TestRedis redis, double pollSeconds = 1) =>
        new(
            await redis.ConnectAsync(), TimeProvider.System, Options.Create(new QueueOptions { ClaimPoll = TimeSpan.FromSeconds(pollSeconds) }),
            NullLogger<ImageQueue>.Instance);

    public static OwnerId NewOwner() => new(Guid.NewGuid());

    public static RequestId NewRequest() => new(Guid.NewGuid());

    public static List<ImageId> Ids(long first, int count) => [.. Enumerable.Range(0, count).Select(i => new ImageId(first + i))];

    public static Task PushAsync(this ImageQueue queue, RequestId request, IReadOnlyCollection<ImageId> images) =>
        queue.PushAsync(Owner, request, images);

    public static Task RemoveAsync(this ImageQueue queue, RequestId request) => queue.RemoveAsync(Owner, request);

    public static async Task<IReadOnlyList<ImageId>> PopAsync(this ImageQueue queue, int max) => (await queue.PopAsync(Places(max))).Images;

    public static async Task<IReadOnlyList<ClaimedImage>> ClaimAsync(this ImageClaimer claimer, int max, CancellationToken cancellationToken) =>
        (await claimer.ClaimAsync(Places(max), cancellationToken)).Images;

    // A quarter of no places is reserved for others.
    private static PlaceUsage Places(int max) => new(max, Total: 0, []);
}
