using System.Text.Json.Nodes;
using Darkroom.Access;
using Darkroom.Data;
using Darkroom.Engine;
using Darkroom.Engine.Bodies;
using Darkroom.Engine.Definitions;
using Darkroom.Engine.Flow;
using Darkroom.Images;
using Darkroom.Runs;

namespace Darkroom.Api.Elsa.Run;

/// <summary>Studio's Test tab: one activity by itself, on the first image of the built-in sample.</summary>
internal static class TestEndpoint
{
    private const string OnlyInputs = "Not run: it acts on a request, so only its inputs were evaluated. Try the workflow with Run.";

    public static void MapTests(this IEndpointRouteBuilder api) =>
        api.MapPost("/tests/activities", TestAsync).RequireAuthorization(Scopes.WorkflowsEdit);

    private static async Task<IResult> TestAsync(
        HttpRequest request, DefinitionStore definitions, ActivityTrial trial, TimeProvider time, CancellationToken cancellationToken)
    {
        var body = await ElsaBody.ReadAsync(request, cancellationToken);
        if (await FindAsync(body["workflowDefinitionHandle"] as JsonObject, definitions, cancellationToken) is not { } definition)
            return ElsaProblems.NotFound("workflow definition version of this id");
        if (Text(body["activityHandle"] as JsonObject, "activityNodeId") is not { } node)
            return NoActivity;

        var photo = SampleImages.First;
        using var image = new ImageRun(new ClaimedImage(
            new ImageId(0), new RequestId(Guid.Empty), Run: 1, Fence: 0, Row: 1, Position: 1, photo.AbsoluteUri, Attempts: 1,
            Preemptions: 0, new OwnerId(Guid.Empty)), time)
        {
            Source = await SampleImages.OpenAsync(photo, cancellationToken),
        };
        try
        {
            return trial.Run(definition.Text, node, SampleImages.Inputs, image, cancellationToken) is { } result ? ElsaJson.Ok(TestView.From(result)) : NoActivity;
        }
        catch (WorkflowDefinitionException e)
        {
            return ElsaProblems.Refused("unreadable_workflow", e.Messages);
        }
    }

    private static async Task<WorkflowDefinition?> FindAsync(JsonObject? handle, DefinitionStore definitions, CancellationToken cancellationToken)
    {
        if (Text(handle, "definitionVersionId") is { } id)
            return await definitions.FindVersionsAsync([id], cancellationToken) is [var found] ? found : null;
        return Text(handle, "definitionId") is { } definitionId && VersionOptions.Parse(Text(handle, "versionOptions") ?? "Latest") is { } versions
            ? await definitions.FindAsync(definitionId, versions, cancellationToken)
            : null;
    }

    private static string? Text(JsonObject? json, string name) => json?[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static IResult NoActivity => ElsaProblems.NotFound("activity of this node id in the workflow");

    private sealed record TestView(
        IReadOnlyDictionary<string, object?> ActivityState, IReadOnlyDictionary<string, object?>? Outputs, IReadOnlyDictionary<string, object?> Payload,
        TestFailure? Exception, string Status)
    {
        public static TestView From(ActivityTrialResult result)
        {
            var failure = result.Failure is { } words ? new TestFailure("expression_failed", words)
                : result.Step?.Failure is { } fault ? new TestFailure(fault.Code, fault.Message)
                : null;
            var outcome = failure is not null ? null : result.Step is { } step ? step.Outcome : OnlyInputs;
            return new TestView(
                result.Inputs, OutputsOf(result.Step), outcome is null ? new Dictionary<string, object?>() : new Dictionary<string, object?> { ["Outcomes"] = outcome },
                failure, failure is not null ? "Faulted" : result.Step is not null ? "Completed" : "Pending");
        }

        private static Dictionary<string, object?>? OutputsOf(FlowStep? step)
        {
            if (step is null or { Line: null, Outputs: null })
                return null;
            var outputs = new Dictionary<string, object?>(step.Outputs ?? new Dictionary<string, object?>());
            if (step.Line is { } line)
                outputs["Line"] = line.Text;
            return outputs;
        }
    }

    private sealed record TestFailure(string Type, string Message, string? StackTrace = null);
}
