using Darkroom.Access;
using Darkroom.Api.Elsa.Definitions;
using Darkroom.Api.Elsa.Descriptors;
using Darkroom.Api.Elsa.Instances;
using Darkroom.Api.Elsa.Run;

namespace Darkroom.Api.Elsa;

/// <summary>
/// The part of Elsa's server API that Elsa Studio calls. It is not our API, so the API reference leaves it out.
/// </summary>
public static class ElsaApi
{
    /// <summary>The remote endpoint that Studio is configured with.</summary>
    public const string Path = "/elsa/api";

    public static IServiceCollection AddElsaApi(this IServiceCollection services)
    {
        services.AddElsaDefinitions();
        services.AddElsaInstances();
        services.AddElsaRun();
        return services;
    }

    public static IEndpointRouteBuilder MapElsaApi(this IEndpointRouteBuilder routes)
    {
        // Every endpoint requires at least read access; those that write also require workflows:edit.
        var api = routes.MapGroup(Path).RequireAuthorization(Scopes.WorkflowsRead).ExcludeFromDescription();
        api.MapDescriptors();
        api.MapDefinitions();
        api.MapElsaInstances();
        api.MapElsaRun();
        api.MapTests();
        routes.MapElsaInstanceHub();
        return routes;
    }
}

/// <summary>A feature that Studio looks for before using it. Each part of the API registers its own; the list of installed features shows them all.</summary>
/// <param name="FullName">The name that Studio looks for.</param>
public sealed record InstalledFeature(string Name, string Namespace, string FullName, string DisplayName, string Description);
