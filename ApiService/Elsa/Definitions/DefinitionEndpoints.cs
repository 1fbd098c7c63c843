namespace Darkroom.Api.Elsa.Definitions;

/// <summary>Workflow definitions as Studio lists, opens, saves and publishes them.</summary>
internal static class DefinitionEndpoints
{
    public static IServiceCollection AddElsaDefinitions(this IServiceCollection services) => services;

    public static void MapDefinitions(this IEndpointRouteBuilder api)
    {
    }
}
