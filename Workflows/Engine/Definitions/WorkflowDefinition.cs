namespace Darkroom.Engine.Definitions;

/// <summary>One version of a workflow definition. An instance names the version it started with and keeps it to its end.</summary>
/// <param name="VersionId">Identifies this version alone.</param>
/// <param name="DefinitionId">Identifies the definition through all its versions; what a request names.</param>
/// <param name="Version">1, 2, ... within the definition.</param>
/// <param name="Name">As people see it.</param>
/// <param name="Document">Elsa 3 workflow definition JSON, kept as it came.</param>
public sealed record WorkflowDefinition(string VersionId, string DefinitionId, int Version, string Name, string Document);
