namespace Darkroom.Engine.Definitions;

/// <summary>One version of a workflow definition, as lists show it.</summary>
/// <param name="Id">Identifies this one version.</param>
/// <param name="DefinitionId">Identifies the definition across all its versions; requests refer to it.</param>
/// <param name="Version">1, 2, ... within the definition.</param>
/// <param name="Name">As people see it.</param>
/// <param name="Description">What it is for, or null.</param>
/// <param name="IsLatest">The version that edits start from.</param>
/// <param name="IsPublished">The version that new requests run.</param>
/// <param name="WasPublished">Requests may run it or have run it, so it is not edited in place: an edit creates the next version.</param>
/// <param name="CreatedAt">When the version was created.</param>
/// <param name="Revision">Changes with the content; it tells which content an editor has seen.</param>
public sealed record DefinitionSummary(
    string Id, string DefinitionId, int Version, string Name, string? Description, bool IsLatest, bool IsPublished, bool WasPublished,
    DateTimeOffset CreatedAt, Guid Revision);

/// <summary>A stored version with its text. An instance records the version it started with and runs that text to the end.</summary>
/// <param name="Text">Elsa 3 workflow definition JSON.</param>
public sealed record WorkflowDefinition(DefinitionSummary Summary, string Text);
