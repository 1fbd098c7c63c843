using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Darkroom.Tests.Faults;

/// <summary>
/// Decides from a seed which requests to a store fail, and how. The decision depends only on the seed, on what the request does and on how
/// often that was requested before, not on timing, so the same seed hits the same requests again.
/// </summary>
internal sealed class FaultDice(ulong seed, double rate, params FaultKind[] kinds)
{
    private readonly ConcurrentDictionary<string, int> _occurrences = new();
    private readonly ConcurrentDictionary<FaultKind, int> _injected = new();

    /// <summary>How many faults of each kind were injected.</summary>
    public string Summary => string.Join(", ", _injected.OrderBy(kind => kind.Key).Select(kind => $"{kind.Key} {kind.Value}"));

    public int Injected => _injected.Values.Sum();

    /// <summary>While false, no request fails.</summary>
    public bool IsOn { get; set; } = true;

    /// <param name="request">What the request does, without ids that differ between runs.</param>
    public FaultKind Roll(string request)
    {
        if (!IsOn)
            return FaultKind.None;
        var occurrence = _occurrences.AddOrUpdate(request, 1, (_, count) => count + 1);
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{seed}/{request}/{occurrence}")));
        if (BitConverter.ToUInt32(hash) / (double)uint.MaxValue >= rate)
            return FaultKind.None;
        var kind = kinds[BitConverter.ToUInt32(hash, 4) % (uint)kinds.Length];
        _injected.AddOrUpdate(kind, 1, (_, count) => count + 1);
        return kind;
    }
}
