using Darkroom.Data;

namespace Darkroom.Runs;

/// <summary>Whose instances are looked at: an owner sees the runs of their own requests, and nothing tells of any others.</summary>
/// <param name="Owner">Null for everyone's.</param>
public readonly record struct InstanceScope(OwnerId? Owner)
{
    /// <summary>Every owner's instances.</summary>
    public static InstanceScope Everyone { get; } = new(null);
}
