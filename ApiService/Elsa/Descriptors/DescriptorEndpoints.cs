using System.Text.Json.Nodes;
using Darkroom.Engine;
using Darkroom.Engine.Flow;
using Darkroom.Runs;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Darkroom.Api.Elsa.Descriptors;

/// <summary>What Studio offers to editors: activity types, expression languages, variable types.</summary>
internal static class DescriptorEndpoints
{
    public static void MapDescriptors(this IEndpointRouteBuilder api)
    {
        api.MapGet("/features/installed", (IEnumerable<InstalledFeature> features) => ElsaJson.List([.. features]));
        api.MapGet("/features/installed/{fullName}", (string fullName, IEnumerable<InstalledFeature> features) =>
            features.FirstOrDefault(feature => feature.FullName == fullName) is { } feature ? (IResult)ElsaJson.Ok(feature) : ElsaProblems.NotFound("such feature"));

        var descriptors = api.MapGroup("/descriptors");
        descriptors.MapGet("/activities", (ActivityCatalog catalog) => ElsaJson.List(
            [.. ActivityDescriptorView.Structural, .. catalog.Descriptors.Select(ActivityDescriptorView.From)]));
        descriptors.MapGet("/activities/{typeName}", FindActivity);
        // No input has options that depend on other inputs.
        descriptors.MapPost("/activities/{typeName}/options/{property}", () => ElsaJson.Ok(new { Items = new JsonObject() }));
        descriptors.MapGet("/expression-descriptors", () => ElsaJson.List(ExpressionLanguageView.All));
        descriptors.MapGet("/workflow-activation-strategies", () => ElsaJson.List(StrategyView.Activation));
        descriptors.MapGet("/incident-strategies", () => ElsaJson.List(StrategyView.Incident));
        descriptors.MapGet("/log-persistence-strategies", None);
        descriptors.MapGet("/commit-strategies/workflows", None);
        descriptors.MapGet("/commit-strategies/activities", None);
        descriptors.MapGet("/variables", () => ElsaJson.List(VariableTypeView.All));
        descriptors.MapGet("/storage-drivers", () => ElsaJson.List(StorageDriverView.All));
        descriptors.MapGet("/output-converters", None);

        api.MapPost("/scripting/javascript/type-definitions/{definitionId}", DeclareAsync);
    }

    private static JsonHttpResult<ElsaList<object>> None() => ElsaJson.List(Array.Empty<object>());

    private static IResult FindActivity(string typeName, ActivityCatalog catalog) =>
        ActivityDescriptorView.Structural.FirstOrDefault(descriptor => descriptor.TypeName == typeName) is { } structural ? ElsaJson.Ok(structural)
        : catalog.Find(typeName) is { } descriptor ? ElsaJson.Ok(ActivityDescriptorView.From(descriptor))
        : ElsaProblems.NotFound("activity type of this name");

    private static async Task<IResult> DeclareAsync(string definitionId, DefinitionStore definitions, CancellationToken cancellationToken)
    {
        var found = await definitions.FindAsync(definitionId, VersionOptions.Latest, cancellationToken);
        return Results.Text(ScriptDeclarations.For(found?.Text), "application/x-typescript");
    }
}
