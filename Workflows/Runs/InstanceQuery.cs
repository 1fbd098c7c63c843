using Darkroom.Data;

namespace Darkroom.Runs;

/// <summary>Filters the instance list. Empty lists and nulls match everything.</summary>
public sealed record InstanceQuery
{
    public IReadOnlyList<Guid> Ids { get; init; } = [];

    /// <summary>Part of the name, or the whole id of an instance, request or definition.</summary>
    public string? SearchTerm { get; init; }

    public IReadOnlyList<string> DefinitionIds { get; init; } = [];

    /// <summary>Instances that run one of these versions.</summary>
    public IReadOnlyList<string> DefinitionVersionIds { get; init; } = [];
    public IReadOnlyList<string> CorrelationIds { get; init; } = [];
    public int? Version { get; init; }
    public bool? HasIncidents { get; init; }
    public IReadOnlyList<string> Statuses { get; init; } = [];
    public IReadOnlyList<string> SubStatuses { get; init; } = [];
    public IReadOnlyList<InstanceTimeFilter> Times { get; init; } = [];
    public InstanceOrder Order { get; init; } = InstanceOrder.Created;
    public bool Ascending { get; init; }
    public int Skip { get; init; }
    public int Take { get; init; } = 10;
}

/// <summary>Whose instances are visible: an owner sees the runs of their own requests and learns nothing of others.</summary>
/// <param name="Owner">Null for everyone's.</param>
public readonly record struct InstanceScope(OwnerId? Owner)
{
    /// <summary>Every owner's instances.</summary>
    public static InstanceScope Everyone { get; } = new(null);
}

/// <summary>Compares one of the instance's times with a value.</summary>
public sealed record InstanceTimeFilter(InstanceTime Time, TimeComparison Comparison, DateTimeOffset Value);

public enum InstanceTime
{
    Created,
    Updated,
    Finished,
}

public enum TimeComparison
{
    Is,
    IsNot,
    LessThan,
    GreaterThan,
    LessThanOrEqual,
    GreaterThanOrEqual,
}

public enum InstanceOrder
{
    Created,
    Updated,
    Finished,
    Name,
}
