namespace Darkroom.Runs;

/// <summary>Which definition versions to list, and in which order.</summary>
public sealed record DefinitionFilter
{
    public VersionOptions Versions { get; init; } = VersionOptions.All;

    /// <summary>Of these definitions only; empty for all.</summary>
    public IReadOnlyList<string> DefinitionIds { get; init; } = [];

    /// <summary>These versions only; empty for all.</summary>
    public IReadOnlyList<string> Ids { get; init; } = [];

    /// <summary>Part of a name, a description or an id; null for all.</summary>
    public string? Search { get; init; }

    public DefinitionOrder Order { get; init; } = DefinitionOrder.Name;

    public bool Descending { get; init; }

    public int Skip { get; init; }

    public int Take { get; init; } = 1000;
}

public enum DefinitionOrder
{
    Name,
    Version,
    Created,
}
