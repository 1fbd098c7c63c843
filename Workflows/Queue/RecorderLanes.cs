using Darkroom.Data;

namespace Darkroom.Queue;

/// <summary>Outcomes of one request that are written together.</summary>
internal readonly record struct LaneBatch(RecorderLane Lane, List<PendingOutcome> Outcomes);

/// <summary>The lanes of a recorder, in the order in which they became ready. Not thread-safe.</summary>
internal sealed class RecorderLanes
{
    private readonly Dictionary<RequestId, RecorderLane> _lanes = [];
    private readonly Queue<RecorderLane> _ready = [];

    /// <summary>Whether any outcome can be taken.</summary>
    public bool AreReady => _ready.Count > 0;

    /// <summary>Adds an outcome to its request's lane. It can be taken, unless a batch of that lane is being written.</summary>
    public void Enqueue(PendingOutcome outcome)
    {
        var request = outcome.Outcome.Image.RequestId;
        if (!_lanes.TryGetValue(request, out var lane))
        {
            lane = _lanes[request] = new RecorderLane(request);
            _ready.Enqueue(lane);
        }

        lane.Enqueue(outcome);
    }

    /// <summary>Takes at most so many outcomes, of as many lanes as it takes. Every lane is to be released when they are written.</summary>
    public List<LaneBatch> Take(int max)
    {
        var batch = new List<LaneBatch>();
        for (var left = max; left > 0 && _ready.TryDequeue(out var lane);)
        {
            var outcomes = lane.TakeBatch(left);
            batch.Add(new LaneBatch(lane, outcomes));
            left -= outcomes.Count;
        }

        return batch;
    }

    /// <summary>Makes what a lane has received meanwhile ready, or forgets the lane.</summary>
    public void Release(RecorderLane lane)
    {
        if (lane.IsEmpty)
            _lanes.Remove(lane.Request);
        else
            _ready.Enqueue(lane);
    }
}
