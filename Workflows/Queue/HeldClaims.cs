using System.Collections.Concurrent;
using Darkroom.Data;
using Darkroom.Engine.Bodies;

namespace Darkroom.Queue;

/// <summary>
/// The images this process knows it is running. A running row that names this process but is not tracked here is a leak (a claim
/// whose response was lost), and is handed back.
/// </summary>
public sealed class HeldClaims
{
    private readonly ConcurrentDictionary<long, long> _fences = new();
    private readonly ConcurrentDictionary<long, byte> _expected = new();

    /// <summary>How many images this process holds.</summary>
    public int Count => _fences.Count;

    internal void Expect(IEnumerable<ImageId> images)
    {
        foreach (var image in images)
            _expected[image.Value] = 0;
    }

    internal void Unexpect(IEnumerable<ImageId> images)
    {
        foreach (var image in images)
            _expected.TryRemove(image.Value, out _);
    }

    internal void Add(ClaimedImage image) => _fences[image.Id.Value] = image.Fence;

    internal void Remove(ClaimedImage image) => _fences.TryRemove(KeyValuePair.Create(image.Id.Value, image.Fence));

    internal bool IsTracked(ImageId image, long fence) =>
        _expected.ContainsKey(image.Value) || (_fences.TryGetValue(image.Value, out var held) && held == fence);
}
