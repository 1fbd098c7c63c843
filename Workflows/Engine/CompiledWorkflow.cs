namespace Darkroom.Engine;

/// <summary>A definition version that has been checked and is ready to run.</summary>
internal sealed class CompiledWorkflow
{
    private readonly Dictionary<string, CompiledActivity> _activities;
    private readonly Dictionary<string, ImageBody> _bodies;

    private CompiledWorkflow(
        WorkflowDocument document, FlowGraph graph, Dictionary<string, CompiledActivity> activities, Dictionary<string, ImageBody> bodies)
    {
        Document = document;
        Graph = graph;
        _activities = activities;
        _bodies = bodies;
    }

    public WorkflowDocument Document { get; }

    public FlowGraph Graph { get; }

    public CompiledActivity Activity(string id) => _activities[id];

    /// <summary>The body of the fan-out activity with this id.</summary>
    public ImageBody Body(string fanOutId) => _bodies[fanOutId];

    /// <exception cref="WorkflowDefinitionException">The definition cannot be run; the message says why.</exception>
    public static CompiledWorkflow Compile(string json, ActivityCatalog catalog)
    {
        var document = WorkflowDocument.Parse(json);
        var activities = new Dictionary<string, CompiledActivity>(StringComparer.Ordinal);
        var bodies = new Dictionary<string, ImageBody>(StringComparer.Ordinal);
        foreach (var node in document.Root.Activities)
        {
            var type = catalog.Find(node, ActivityPlace.Workflow);
            activities[node.Id] = new CompiledActivity(node, type, CompiledInputs.Compile(node, type.Descriptor, document));
            if (type.Descriptor.BodyPort is null) continue;
            if (node.Body is null) throw new WorkflowDefinitionException($"{node.Name} has no body.");
            bodies[node.Id] = ImageBody.Compile(node.Body, catalog, document);
        }

        if (bodies.Count > 1) throw new WorkflowDefinitionException("A workflow may fan out only once.");
        var graph = FlowGraph.Build(document.Root, node => activities[node.Id].Type.Descriptor);
        return new CompiledWorkflow(document, graph, activities, bodies);
    }
}

/// <summary>An activity of the workflow where it stands.</summary>
internal sealed record CompiledActivity(ActivityNode Node, ActivityRegistration Type, CompiledInputs Inputs)
{
    public WorkflowActivity Activity => Type.Workflow;
}
