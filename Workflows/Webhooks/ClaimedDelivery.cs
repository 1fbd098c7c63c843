using Darkroom.Data;
using Darkroom.Requests;

namespace Darkroom.Webhooks;

/// <summary>A delivery that this process sends now; whatever it writes about it holds only under the claim's fence.</summary>
public sealed record ClaimedDelivery
{
    /// <summary>The <c>webhook-id</c>, the same at every attempt.</summary>
    public required string Id { get; init; }

    public required OwnerId Owner { get; init; }
    public required RequestId Request { get; init; }
    public required string Url { get; init; }
    public required string Receiver { get; init; }
    public required string Body { get; init; }

    /// <summary>Failed attempts since the schedule began: at the start, or at the latest replay.</summary>
    public required int Failed { get; init; }

    /// <summary>The process that claimed it.</summary>
    public required Guid Process { get; init; }

    public required long Fence { get; init; }
}
