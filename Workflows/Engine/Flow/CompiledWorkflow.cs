using Darkroom.Engine.Bodies;
using Darkroom.Engine.Definitions;

namespace Darkroom.Engine.Flow;

/// <summary>A definition version that has been checked and is ready to run.</summary>
internal sealed class CompiledWorkflow
{
    private readonly Dictionary<string, CompiledActivity> _activities;
    private readonly Dictionary<string, ImageBody> _bodies;

    private CompiledWorkflow(
        IReadOnlyDictionary<string, VariableNode> variables, FlowGraph graph,
        Dictionary<string, CompiledActivity> activities, Dictionary<string, ImageBody> bodies)
    {
        Variables = variables;
        Graph = graph;
        _activities = activities;
        _bodies = bodies;
    }

    /// <summary>The workflow's variables by id.</summary>
    public IReadOnlyDictionary<string, VariableNode> Variables { get; }

    public FlowGraph Graph { get; }

    public CompiledActivity Activity(string id) => _activities[id];

    /// <summary>The id of an activity by its name or id, as expressions refer to it; null if there is none.</summary>
    public string? FindActivity(string nameOrId) =>
        _activities.ContainsKey(nameOrId) ? nameOrId : _activities.Values.FirstOrDefault(activity => activity.Node.Name == nameOrId)?.Node.Id;

    /// <summary>The body of the fan-out activity with this id.</summary>
    public ImageBody Body(string fanOutId) => _bodies[fanOutId];

    /// <exception cref="WorkflowDefinitionException">The definition cannot be run; the message says why.</exception>
    public static CompiledWorkflow Compile(WorkflowDocument document, ActivityCatalog catalog)
    {
        var errors = new ValidationErrors();
        var workflow = Check(document, catalog, errors);
        errors.ThrowIfAny();
        return workflow!;
    }

    /// <summary>Compiles as far as possible and reports every error. Not null if there are none.</summary>
    /// <param name="document">The definition.</param>
    /// <param name="catalog">The activities that it may use.</param>
    /// <param name="errors">Receives the errors.</param>
    /// <param name="publishing">Whether to also report what can run but would have no effect.</param>
    public static CompiledWorkflow? Check(WorkflowDocument document, ActivityCatalog catalog, ValidationErrors errors, bool publishing = false)
    {
        var activities = new Dictionary<string, CompiledActivity>(StringComparer.Ordinal);
        var bodies = new Dictionary<string, ImageBody>(StringComparer.Ordinal);
        CheckNames(document, errors);
        var flowchart = BranchFlattener.Flatten(document.Root, catalog.Describe);
        foreach (var node in flowchart.Activities)
        {
            if (catalog.Find(node, ActivityPlace.Workflow, errors) is not { } type)
                continue;
            activities[node.Id] = new CompiledActivity(node, type, CompiledInputs.Compile(node, type.Descriptor, document, catalog.Languages, errors));
            CheckBindings(node, type.Descriptor, document, errors);
            CheckVariablePicks(node, type.Descriptor, document, errors);
            if (type.Descriptor.BodyPort is null)
                continue;
            if (node.Body is null)
                errors.Add(node, "it has no body.");
            else if (ImageBody.Compile(node.Body, $"The body of {node.Label}", catalog, document, errors, publishing) is { } body)
                bodies[node.Id] = body;
        }

        var fanOuts = activities.Values.Where(activity => activity.Type.Descriptor.BodyPort is not null).Select(activity => activity.Node.Label).ToList();
        if (fanOuts.Count > 1)
            errors.Add($"A workflow may fan out only once; this one has {string.Join(" and ", fanOuts)}.");
        var graph = FlowGraph.Build(flowchart, "The workflow", node => activities.GetValueOrDefault(node.Id)?.Type.Descriptor, errors);
        if (publishing)
        {
            document.Settings.Check(errors);
            new SettingRules(catalog.Find, errors).Check(document);
            foreach (var mode in document.Logs.Unknown)
                errors.Add($"Settings: {LogPersistence.Refusal(mode)}");
            if (graph is not null)
                new PublishRules(flowchart, graph, catalog.Describe, errors).Check("The workflow", ActivityPlace.Workflow, catalog, node => activities.GetValueOrDefault(node.Id)?.Inputs);
        }

        return graph is null || errors.Messages.Count > 0 ? null : new CompiledWorkflow(document.Variables, graph, activities, bodies);
    }

    /// <summary>Variables are stored by name, and each must accept its initial value.</summary>
    private static void CheckNames(WorkflowDocument document, ValidationErrors errors)
    {
        foreach (var name in document.Variables.Values.GroupBy(variable => variable.Name, StringComparer.Ordinal).Where(group => group.Count() > 1))
            errors.Add($"Two variables are called {name.Key}.");
        foreach (var variable in document.Variables.Values)
        {
            try
            {
                VariableTypes.Convert(variable, variable.Value);
            }
            catch (WorkflowDefinitionException e)
            {
                errors.Add(e.Message);
            }
        }

        foreach (var input in document.Inputs.Where(input => !WorkflowInputs.Names.Contains(input, StringComparer.Ordinal)))
            errors.Add($"No request brings a value for the input {input}; there are {string.Join(", ", WorkflowInputs.Names)}.");
    }

    private static void CheckVariablePicks(ActivityNode node, ActivityDescriptor descriptor, WorkflowDocument document, ValidationErrors errors)
    {
        foreach (var input in descriptor.Inputs.Where(input => input is { IsWrapped: false, UiHint: "variable-picker" }))
        {
            if (!node.Raw.TryGetValue(input.Name, out var picked))
                errors.Add(node, $"{input.Name} needs a variable.");
            else if (CompiledInputs.VariableId(picked) is not { } id || !document.Variables.ContainsKey(id))
                errors.Add(node, $"{input.Name} names a variable that does not exist.");
        }
    }

    private static void CheckBindings(ActivityNode node, ActivityDescriptor descriptor, WorkflowDocument document, ValidationErrors errors)
    {
        foreach (var (name, variable) in node.Bindings)
            if (descriptor.FindOutput(name) is { } output && !document.Variables.ContainsKey(variable))
                errors.Add(node, $"{output.Name} goes to a variable that does not exist.");
    }
}

/// <summary>An activity of the workflow and its place.</summary>
internal sealed record CompiledActivity(ActivityNode Node, ActivityRegistration Type, CompiledInputs Inputs)
{
    public WorkflowActivity Activity => Type.Workflow;
}
