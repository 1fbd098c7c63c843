using Darkroom.Data;

namespace Darkroom.Queue;

/// <summary>An open request and how many of its images are offered.</summary>
internal readonly record struct OpenRequest(RequestId Id, int Offered);

/// <summary>How many more images a request may offer.</summary>
internal readonly record struct FeedShare(RequestId Id, int Room);

/// <summary>Divides Redis' capacity among the open requests.</summary>
internal static class FeedShares
{
    /// <summary>
    /// Each request may hold an equal share of Redis and gets an equal share of this slice. A request is topped up only once half of its
    /// share has been claimed, so that slices stay large. The emptiest requests come first, in case the slice is too small for all.
    /// </summary>
    public static IReadOnlyList<FeedShare> Compute(IReadOnlyCollection<OpenRequest> open, QueueOptions options)
    {
        if (open.Count == 0)
            return [];
        var allowance = Math.Clamp(options.OfferedOverall / open.Count, options.OfferedAtLeast, options.OfferedPerRequest);
        var needy = open.Where(r => r.Offered <= allowance / 2).OrderBy(r => r.Offered).ToList();
        var sliceShare = Math.Max(options.OfferedAtLeast, options.FeedSlice / Math.Max(1, needy.Count));

        var shares = new List<FeedShare>(needy.Count);
        var remaining = options.FeedSlice;
        foreach (var request in needy.TakeWhile(_ => remaining > 0))
        {
            var room = Math.Min(Math.Min(allowance - request.Offered, sliceShare), remaining);
            shares.Add(new FeedShare(request.Id, room));
            remaining -= room;
        }

        return shares;
    }
}
