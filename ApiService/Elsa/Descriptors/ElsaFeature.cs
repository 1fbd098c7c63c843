namespace Darkroom.Api.Elsa.Descriptors;

/// <summary>A feature that Studio asks for before it uses it. Register one as a singleton and it is listed as installed.</summary>
public sealed record ElsaFeature(string Namespace, string Name, string DisplayName, string Description)
{
    public string FullName => $"{Namespace}.{Name}";
}
