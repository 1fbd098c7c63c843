using Darkroom.Runs;

namespace Darkroom.Api.Elsa.Instances;

/// <summary>A search of the instance list, as Studio sends it.</summary>
internal sealed record SearchRequest
{
    private const int MaxPageSize = 1_000;

    public int? Page { get; init; }
    public int? PageSize { get; init; }
    public string? SearchTerm { get; init; }
    public IReadOnlyList<string>? Ids { get; init; }
    public string? DefinitionId { get; init; }
    public IReadOnlyList<string>? DefinitionIds { get; init; }
    public string? CorrelationId { get; init; }
    public IReadOnlyList<string>? CorrelationIds { get; init; }
    public int? Version { get; init; }
    public bool? HasIncidents { get; init; }
    public bool? IsSystem { get; init; }
    public string? Status { get; init; }
    public IReadOnlyList<string>? Statuses { get; init; }
    public string? SubStatus { get; init; }
    public IReadOnlyList<string>? SubStatuses { get; init; }
    public string? OrderBy { get; init; }
    public string? OrderDirection { get; init; }
    public IReadOnlyList<TimestampFilterRequest?>? TimestampFilters { get; init; }

    /// <summary>Null if nothing can match: an id that is not one of ours, or system workflows, of which there are none.</summary>
    public InstanceQuery? ToQuery()
    {
        if (IsSystem == true)
            return null;
        var ids = new List<Guid>();
        foreach (var text in Ids ?? [])
            if (Guid.TryParse(text, out var id))
                ids.Add(id);
        if (ids.Count == 0 && Ids is { Count: > 0 })
            return null;
        var size = Math.Clamp(PageSize ?? 10, 1, MaxPageSize);
        return new InstanceQuery
        {
            Ids = ids,
            SearchTerm = SearchTerm,
            DefinitionIds = Join(DefinitionId, DefinitionIds),
            CorrelationIds = Join(CorrelationId, CorrelationIds),
            Version = Version,
            HasIncidents = HasIncidents,
            Statuses = Join(Status, Statuses),
            SubStatuses = Join(SubStatus, SubStatuses),
            Times = [.. (TimestampFilters ?? []).Select(filter => filter?.ToFilter()).OfType<InstanceTimeFilter>()],
            Order = OrderBy?.ToUpperInvariant() switch
            {
                "UPDATED" or "UPDATEDAT" or "LASTEXECUTED" => InstanceOrder.Updated,
                "FINISHED" or "FINISHEDAT" => InstanceOrder.Finished,
                "NAME" => InstanceOrder.Name,
                _ => InstanceOrder.Created,
            },
            Ascending = string.Equals(OrderDirection, "Ascending", StringComparison.OrdinalIgnoreCase),
            Skip = (int)Math.Min(int.MaxValue, (long)Math.Max(Page ?? 0, 0) * size),
            Take = size,
        };
    }

    private static string[] Join(string? one, IReadOnlyList<string>? more) =>
        [.. (more ?? []).Append(one).OfType<string>().Where(text => text.Length > 0).Distinct(StringComparer.Ordinal)];
}

/// <summary>A comparison with one of the instance's times. An unknown column or operator is ignored.</summary>
internal sealed record TimestampFilterRequest(string? Column, string? Operator, DateTimeOffset? Timestamp)
{
    public InstanceTimeFilter? ToFilter()
    {
        InstanceTime? time = Column?.ToUpperInvariant() switch
        {
            "CREATEDAT" => InstanceTime.Created,
            "UPDATEDAT" => InstanceTime.Updated,
            "FINISHEDAT" => InstanceTime.Finished,
            _ => null,
        };
        return time is { } known && Timestamp is { } value && Enum.TryParse<TimeComparison>(Operator, ignoreCase: true, out var comparison)
            && Enum.IsDefined(comparison)
                ? new InstanceTimeFilter(known, comparison, value)
                : null;
    }
}

internal sealed record JournalRequest(JournalFilter? Filter);

internal sealed record JournalFilter(
    IReadOnlyList<string>? ActivityIds, IReadOnlyList<string>? ActivityNodeIds, IReadOnlyList<string>? ExcludedActivityTypes,
    IReadOnlyList<string>? EventNames)
{
    public bool Matches(JournalRecordView entry) =>
        Matches(ActivityIds, entry.ActivityId)
        && Matches(ActivityNodeIds, entry.NodeId)
        && Matches(EventNames, entry.EventName)
        && ExcludedActivityTypes?.Contains(entry.ActivityType, StringComparer.Ordinal) != true;

    private static bool Matches(IReadOnlyList<string>? allowed, string value) =>
        allowed is null or { Count: 0 } || allowed.Contains(value, StringComparer.Ordinal);
}

internal sealed record ReportRequest(string? WorkflowInstanceId, IReadOnlyList<string>? ActivityNodeIds);

internal sealed record BulkRequest(IReadOnlyList<string>? Ids);

/// <summary>Which instances to cancel: these, or those that run a version of a definition.</summary>
internal sealed record BulkCancelRequest(
    IReadOnlyList<string>? Ids, string? DefinitionVersionId, string? DefinitionId, string? VersionOptions);
