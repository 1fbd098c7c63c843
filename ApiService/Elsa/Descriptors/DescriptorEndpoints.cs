namespace Darkroom.Api.Elsa.Descriptors;

/// <summary>What Studio can offer to people who edit: activity types, languages, kinds of variables.</summary>
internal static class DescriptorEndpoints
{
    public static void MapDescriptors(this IEndpointRouteBuilder api)
    {
        api.MapGet("/features/installed", (IEnumerable<ElsaFeature> features) => ElsaJson.List([.. features]));
    }
}
