using Darkroom.Data;

namespace Darkroom.Engine.Bodies;

/// <summary>An image that this process has claimed: no other process runs it while the fence holds.</summary>
/// <param name="Id">The image.</param>
/// <param name="RequestId">The request that it belongs to.</param>
/// <param name="Run">The request's run in which it was claimed.</param>
/// <param name="Fence">The number of this claim; an outcome with an older one changes nothing.</param>
/// <param name="Row">1-based number of its data record in the CSV.</param>
/// <param name="Position">1-based place in that record's list of URLs.</param>
/// <param name="Url">The URL to download it from.</param>
/// <param name="Attempts">Times the body was started for it, including this one but not those that ended because a process died.</param>
/// <param name="Preemptions">How often its download was cancelled in favour of others.</param>
/// <param name="Owner">The owner of the request.</param>
/// <param name="IsSuspect">Whether its process died while it ran before, perhaps because of it.</param>
public sealed record ClaimedImage(
    ImageId Id, RequestId RequestId, int Run, long Fence, int Row, int Position, string Url, int Attempts, int Preemptions,
    OwnerId Owner, bool IsSuspect = false);
