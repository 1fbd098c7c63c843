using Darkroom.Data;

namespace Darkroom.Webhooks;

/// <summary>How many more deliveries a process may take.</summary>
/// <param name="Total">In all.</param>
/// <param name="Receivers">To receivers that have not their whole allowance left.</param>
/// <param name="Owners">Of owners that have not their whole allowance left.</param>
public sealed record DispatchCapacity(int Total, IReadOnlyDictionary<string, int> Receivers, IReadOnlyDictionary<OwnerId, int> Owners);
