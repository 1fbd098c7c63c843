using Darkroom.Data;

namespace Darkroom.Engine.Bodies;

/// <summary>An image that this process has claimed: nobody else runs it as long as its fence holds.</summary>
/// <param name="Id">The image.</param>
/// <param name="RequestId">The request that it belongs to.</param>
/// <param name="Run">The request's run in which it was claimed.</param>
/// <param name="Fence">The number of this claim; an outcome that carries an older one changes nothing.</param>
/// <param name="Row">1-based number of its data record in the CSV.</param>
/// <param name="Position">1-based place in that record's list of URLs.</param>
/// <param name="Url">Where it is to be fetched.</param>
/// <param name="Attempts">Bodies started for it, this one included; deaths of a process not counted.</param>
/// <param name="Suspect">Its process died under it: it must run while nothing else runs in this process.</param>
public sealed record ClaimedImage(
    ImageId Id, RequestId RequestId, int Run, long Fence, int Row, int Position, string Url, int Attempts, bool Suspect);
