using Darkroom.Requests;

namespace Darkroom.Queue;

/// <summary>An open request and how many of its images are offered.</summary>
internal readonly record struct OpenRequest(RequestId Id, int Offered);

/// <summary>How many more images a request may offer.</summary>
internal readonly record struct FeedShare(RequestId Id, int Room);

/// <summary>Divides what Redis may hold among the open requests.</summary>
internal static class FeedShares
{
    /// <summary>
    /// Every request may fill up to an equal part. It is topped up only once half of that is gone, so that slices stay large, and
    /// the emptiest come first, so that a new request does not wait behind a transaction full of others.
    /// </summary>
    public static IReadOnlyList<FeedShare> Compute(IReadOnlyCollection<OpenRequest> open, QueueOptions options)
    {
        if (open.Count == 0) return [];
        var allowance = Math.Clamp(options.OfferedOverall / open.Count, options.OfferedAtLeast, options.OfferedPerRequest);
        var left = options.FeedSlice;
        var shares = new List<FeedShare>();
        foreach (var request in open.Where(r => r.Offered <= allowance / 2).OrderBy(r => r.Offered))
        {
            if (left == 0) break;
            var room = Math.Min(allowance - request.Offered, left);
            shares.Add(new FeedShare(request.Id, room));
            left -= room;
        }

        return shares;
    }
}
