namespace Darkroom.Api.Elsa;

/// <summary>A feature that Studio asks for before it uses it. Each part of the API registers its own; the list of installed features shows them all.</summary>
/// <param name="FullName">What Studio looks for.</param>
public sealed record InstalledFeature(string Name, string Namespace, string FullName, string DisplayName, string Description);
