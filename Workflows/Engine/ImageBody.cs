using System.Text.Json;

namespace Darkroom.Engine;

/// <summary>
/// The body of a fan-out, compiled once per definition version: the steps by index, with their inputs evaluated wherever no
/// variable is involved. Running it for an image parses nothing and allocates next to nothing.
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

    public static ImageBody Compile(FlowchartNode flowchart, ActivityCatalog catalog, WorkflowDocument document)
    {
        var types = flowchart.Activities.ToLookup(node => node.Id, node => catalog.Find(node, ActivityPlace.ImageBody), StringComparer.Ordinal);
        var graph = FlowGraph.Build(flowchart, node => types[node.Id].First().Descriptor);
        var index = flowchart.Activities.Select((node, i) => (node.Id, i)).ToDictionary(pair => pair.Id, pair => pair.i, StringComparer.Ordinal);
        var steps = flowchart.Activities.Select(node =>
        {
            var type = types[node.Id].First();
            var next = type.Descriptor.Outcomes
                .Select(outcome => (outcome, target: graph.Next(node.Id, outcome)))
                .Where(pair => pair.target is not null)
                .ToDictionary(pair => pair.outcome, pair => index[pair.target!], StringComparer.Ordinal);
            return new BodyStep(node, type, CompiledInputs.Compile(node, type.Descriptor, document), next);
        });
        return new ImageBody([.. steps], index[graph.Start]);
    }

    /// <summary>The body with this fan-out's variables put in: what its images share.</summary>
    public BoundImageBody Bind(IReadOnlyDictionary<string, JsonElement> variables) =>
        new(_steps, [.. _steps.Select(step => step.Type.Image)], [.. _steps.Select(step => new ActivityInputs(step.Inputs.Evaluate(variables)))], _start);
}

/// <summary>An activity of a body, and the index of the step that follows each outcome.</summary>
internal sealed record BodyStep(
    ActivityNode Node, ActivityRegistration Type, CompiledInputs Inputs, IReadOnlyDictionary<string, int> Next);

/// <summary>A body ready to run for every image of one fan-out.</summary>
internal sealed class BoundImageBody(BodyStep[] steps, ImageActivity[] activities, ActivityInputs[] inputs, int start)
{
    /// <summary>Runs the body on one image, from its start to where the flow ends.</summary>
    public async ValueTask RunAsync(ImageRun run, CancellationToken cancellation)
    {
        for (var at = start; ;)
        {
            var step = steps[at];
            run.At(step.Node);
            var outcome = await activities[at].ExecuteAsync(run, inputs[at], cancellation);
            run.Passed(outcome);
            if (!step.Next.TryGetValue(outcome, out at)) return;
        }
    }
}
