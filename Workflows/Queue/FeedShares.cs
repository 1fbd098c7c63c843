using Darkroom.Data;

namespace Darkroom.Queue;

/// <param name="Owner">Whose it is.</param>
/// <param name="Id">A request whose fan-out is open.</param>
/// <param name="Offered">Its images that are offered.</param>
/// <param name="HasMore">Whether any other may be offered now.</param>
internal readonly record struct OpenRequest(OwnerId Owner, RequestId Id, int Offered, bool HasMore);

/// <summary>How many more images a request may offer.</summary>
internal readonly record struct FeedShare(RequestId Id, int Room);

/// <summary>Divides Redis' capacity among the owners of open requests, and each owner's part among its requests.</summary>
internal static class FeedShares
{
    /// <summary>
    /// Each owner may hold an equal share of Redis and gets an equal share of this slice. A request is topped up only once half of its
    /// share has been claimed, so that slices stay large. If the slice is too small for all, owners come in turn, each with its emptiest
    /// requests first.
    /// </summary>
    public static IReadOnlyList<FeedShare> Compute(IReadOnlyCollection<OpenRequest> open, QueueOptions options)
    {
        var owners = open.GroupBy(request => request.Owner).ToList();
        var needy = owners
            .SelectMany(owner => Needy([.. owner], options.OfferedOverall / owners.Count, options))
            .OrderBy(request => request.Turn)
            .ThenBy(request => request.Offered)
            .ToList();

        var shares = new List<FeedShare>(needy.Count);
        var sliceOfOwner = options.FeedSlice / Math.Max(1, needy.Count(request => request.Turn == 0));
        var remaining = options.FeedSlice;
        foreach (var request in needy.TakeWhile(_ => remaining > 0))
        {
            var slice = Math.Max(options.OfferedAtLeast, sliceOfOwner / request.OfOwner);
            var room = Math.Min(Math.Min(request.Allowance - request.Offered, slice), remaining);
            shares.Add(new FeedShare(request.Id, room));
            remaining -= room;
        }

        return shares;
    }

    /// <summary>An owner's requests that have images to offer and room for them, the emptiest first.</summary>
    private static IEnumerable<NeedyRequest> Needy(IReadOnlyCollection<OpenRequest> open, int allowanceOfOwner, QueueOptions options)
    {
        var allowance = Math.Clamp(allowanceOfOwner / open.Count, options.OfferedAtLeast, options.OfferedPerRequest);
        var needy = open.Where(request => request.HasMore && request.Offered <= allowance / 2).OrderBy(request => request.Offered).ToList();
        return needy.Select((request, turn) => new NeedyRequest(request.Id, request.Offered, allowance, turn, needy.Count));
    }

    /// <param name="Id">The request.</param>
    /// <param name="Offered">Its images that are offered.</param>
    /// <param name="Allowance">How many may be.</param>
    /// <param name="Turn">0 for its owner's first.</param>
    /// <param name="OfOwner">How many requests of its owner have room.</param>
    private readonly record struct NeedyRequest(RequestId Id, int Offered, int Allowance, int Turn, int OfOwner);
}
