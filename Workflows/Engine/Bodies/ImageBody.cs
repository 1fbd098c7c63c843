using Darkroom.Engine.Definitions;
using Darkroom.Engine.Expressions;
using Darkroom.Engine.Flow;
using Darkroom.Images;

namespace Darkroom.Engine.Bodies;

/// <summary>
/// The body of a fan-out, compiled once per definition version: the steps by index, with their inputs already evaluated unless they
/// depend on a variable. Running it for an image parses nothing and allocates almost nothing.
/// </summary>
internal sealed class ImageBody
{
    private readonly BodyStep[] _steps;
    private readonly int _start;

    private ImageBody(BodyStep[] steps, int start)
    {
        _steps = steps;
        _start = start;
    }

    /// <summary>The compiled body; null, with an error, if it cannot run.</summary>
    public static ImageBody? Compile(
        FlowchartNode flowchart, string label, ActivityCatalog catalog, WorkflowDocument document, ValidationErrors errors, bool publishing)
    {
        var steps = new Dictionary<string, BodyStep>(StringComparer.Ordinal);
        flowchart = BranchFlattener.Flatten(flowchart, catalog.Describe);
        foreach (var node in flowchart.Activities)
        {
            if (catalog.Find(node, ActivityPlace.ImageBody, errors) is not { } type)
                continue;
            steps[node.Id] = new BodyStep(
                node, type, CompiledInputs.Compile(node, type.Descriptor, document, catalog.Languages, errors), new Dictionary<string, int>());
            if (node.Bindings.Keys.Any(name => type.Descriptor.FindOutput(name) is not null))
                errors.Add(node, "images run side by side, so an activity in the body cannot write to a variable of the workflow.");
        }

        var graph = FlowGraph.Build(flowchart, label, node => steps.GetValueOrDefault(node.Id)?.Type.Descriptor, errors);
        if (graph is not null && publishing)
            new PublishRules(flowchart, graph, catalog.Describe, errors).Check(label, ActivityPlace.ImageBody, catalog, node => steps.GetValueOrDefault(node.Id)?.Inputs);
        if (graph is null || steps.Count < flowchart.Activities.Count)
            return null;
        var index = flowchart.Activities.Select((node, i) => (node.Id, i)).ToDictionary(pair => pair.Id, pair => pair.i, StringComparer.Ordinal);
        return new ImageBody([.. flowchart.Activities.Select(node =>
        {
            var step = steps[node.Id];
            var next = BranchFlattener.Outcomes(node, step.Type.Descriptor).Distinct()
                .Select(outcome => (outcome, target: graph.Next(node.Id, outcome)))
                .Where(pair => pair.target is not null)
                .ToDictionary(pair => pair.outcome, pair => index[pair.target!], StringComparer.Ordinal);
            return step with { Next = next };
        })], index[graph.Start]);
    }

    /// <summary>Binds the body to a fan-out's snapshot: what its images share is evaluated here, once for all of them.</summary>
    public BoundImageBody Bind(ExpressionScope scope) =>
        new(_steps, [.. _steps.Select(step => step.Type.Image)],
            [.. _steps.Select(step => step.Inputs.PerImage ? null : new ActivityInputs(step.Inputs.Evaluate(scope, CancellationToken.None)))], scope, _start);
}

/// <summary>An activity of a body, and the index of the step that follows each outcome.</summary>
internal sealed record BodyStep(
    ActivityNode Node, ActivityRegistration Type, CompiledInputs Inputs, IReadOnlyDictionary<string, int> Next);

/// <summary>A body ready to run for every image of one fan-out. Inputs that depend on the image are null here and evaluated per image.</summary>
internal sealed class BoundImageBody(BodyStep[] steps, ImageActivity[] activities, ActivityInputs?[] inputs, ExpressionScope scope, int start)
{
    /// <summary>Runs the body on one image, from its start to where the flow ends.</summary>
    public async ValueTask RunAsync(ImageRun run, CancellationToken cancellationToken)
    {
        for (var at = start; ;)
        {
            var step = steps[at];
            run.At(step.Node);
            var outcome = await activities[at].ExecuteAsync(run, inputs[at] ?? Evaluate(step, run, cancellationToken), cancellationToken);
            run.Passed(outcome);
            if (!step.Next.TryGetValue(outcome, out at))
                return;
        }
    }

    private ActivityInputs Evaluate(BodyStep step, ImageRun run, CancellationToken cancellationToken)
    {
        try
        {
            return new ActivityInputs(step.Inputs.Evaluate(scope with { Image = run.Facts }, cancellationToken));
        }
        catch (WorkflowDefinitionException e)
        {
            throw new ImageFailedException(new ImageFailure("expression_failed", e.Message), e);
        }
    }
}
