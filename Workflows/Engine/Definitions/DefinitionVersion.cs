namespace Darkroom.Engine.Definitions;

/// <summary>A version of a definition as people list and edit it.</summary>
/// <param name="Id">Identifies this version alone.</param>
/// <param name="DefinitionId">Identifies the definition through all its versions.</param>
/// <param name="Version">1, 2, ... within the definition.</param>
/// <param name="Name">As people see it.</param>
/// <param name="Description">What it is for, or null.</param>
/// <param name="IsLatest">The version that editing goes on from.</param>
/// <param name="IsPublished">The version that the next request runs.</param>
/// <param name="CreatedAt">When the version came into being.</param>
/// <param name="Revision">Changes with the content; an editor shows by it what it has seen.</param>
public sealed record DefinitionSummary(
    string Id, string DefinitionId, int Version, string Name, string? Description, bool IsLatest, bool IsPublished,
    DateTimeOffset CreatedAt, Guid Revision);

/// <summary>A version with its content, Elsa 3 JSON.</summary>
public sealed record DefinitionVersion(DefinitionSummary Summary, string Document);

/// <summary>What an editor wants a definition to be.</summary>
public sealed record DefinitionContent(string Name, string? Description, string Document);
