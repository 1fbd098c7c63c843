using Darkroom.Data;
using Darkroom.Engine.Bodies;

namespace Darkroom.Queue;

/// <summary>How many images a process may have in hand, and who has how many of them.</summary>
/// <param name="Free">Places without an image.</param>
/// <param name="Total">All places.</param>
/// <param name="Held">Images in hand by owner.</param>
/// <param name="PerOwner">How many one owner may have, whether or not places are free.</param>
public sealed record PlaceUsage(int Free, int Total, IReadOnlyCollection<KeyValuePair<OwnerId, int>> Held, int PerOwner = int.MaxValue)
{
    /// <summary>What remains after these images have taken places.</summary>
    internal PlaceUsage Less(IReadOnlyCollection<ClaimedImage> claimed)
    {
        if (claimed.Count == 0)
            return this;
        var held = new Dictionary<OwnerId, int>(Held);
        foreach (var image in claimed)
            held[image.Owner] = held.GetValueOrDefault(image.Owner) + 1;
        return this with { Free = Free - claimed.Count, Held = held };
    }
}

/// <summary>What a process got from the queue.</summary>
/// <param name="Images">The popped images.</param>
/// <param name="Share">The places that each owner may have without borrowing.</param>
/// <param name="Missing">Places that owners wait for although they have less than their share.</param>
public sealed record PopResult(IReadOnlyList<ImageId> Images, int Share, int Missing);

/// <summary>What a process has claimed.</summary>
/// <param name="Images">The claimed images.</param>
/// <param name="Share">The places that each owner may have without borrowing.</param>
/// <param name="Missing">Places that owners wait for although they have less than their share.</param>
/// <param name="Held">Cancelled when the lease is lost under which they were claimed.</param>
public sealed record ClaimResult(IReadOnlyList<ClaimedImage> Images, int Share, int Missing, CancellationToken Held);
