namespace Darkroom.Engine.Definitions;

/// <summary>One version of a workflow definition, as lists show it.</summary>
/// <param name="Id">Identifies this version alone.</param>
/// <param name="DefinitionId">Identifies the definition through all its versions; what a request names.</param>
/// <param name="Version">1, 2, ... within the definition.</param>
/// <param name="Name">As people see it.</param>
/// <param name="Description">What it is for, or null.</param>
/// <param name="IsLatest">The version that editing goes on from.</param>
/// <param name="IsPublished">The version that the next request runs.</param>
/// <param name="WasPublished">Requests may run it or have run it, so it is not edited in place: an edit makes the next version.</param>
/// <param name="CreatedAt">When the version came into being.</param>
/// <param name="Revision">Changes with the content; an editor shows by it what it has seen.</param>
public sealed record DefinitionSummary(
    string Id, string DefinitionId, int Version, string Name, string? Description, bool IsLatest, bool IsPublished, bool WasPublished,
    DateTimeOffset CreatedAt, Guid Revision);

/// <summary>A stored version with its text. An instance names the version it started with and keeps its text to the end.</summary>
/// <param name="Text">Elsa 3 workflow definition JSON.</param>
public sealed record WorkflowDefinition(DefinitionSummary Summary, string Text);
