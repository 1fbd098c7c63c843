using Darkroom.Data;

namespace Darkroom.Queue;

/// <summary>An open request and how many of its images are offered.</summary>
internal readonly record struct OpenRequest(RequestId Id, int Offered);

/// <summary>How many more images a request may offer.</summary>
internal readonly record struct FeedShare(RequestId Id, int Room);

/// <summary>Divides what Redis may hold among the open requests.</summary>
internal static class FeedShares
{
    /// <summary>
    /// Every request may fill up to an equal part of Redis, and has an equal part of this slice on the way there. It is topped up only
    /// once half of its part is gone, so that slices stay large, and the emptiest come first, in case the slice is too small for all.
    /// </summary>
    public static IReadOnlyList<FeedShare> Compute(IReadOnlyCollection<OpenRequest> open, QueueOptions options)
    {
        if (open.Count == 0) return [];
        var allowance = Math.Clamp(options.OfferedOverall / open.Count, options.OfferedAtLeast, options.OfferedPerRequest);
        var needy = open.Where(r => r.Offered <= allowance / 2).OrderBy(r => r.Offered).ToList();
        var part = Math.Max(options.OfferedAtLeast, options.FeedSlice / Math.Max(1, needy.Count));

        var shares = new List<FeedShare>(needy.Count);
        var left = options.FeedSlice;
        foreach (var request in needy.TakeWhile(_ => left > 0))
        {
            var room = Math.Min(Math.Min(allowance - request.Offered, part), left);
            shares.Add(new FeedShare(request.Id, room));
            left -= room;
        }

        return shares;
    }
}
