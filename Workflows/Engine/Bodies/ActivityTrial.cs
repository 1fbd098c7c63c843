using System.Text.Json;
using System.Text.Json.Nodes;
using Darkroom.Engine.Definitions;
using Darkroom.Engine.Expressions;
using Darkroom.Engine.Flow;

namespace Darkroom.Engine.Bodies;

/// <summary>
/// Tries one activity by itself, as Studio's Test tab does: its inputs are evaluated with the variables' test values and the given
/// inputs. An activity that only looks at its inputs then runs; one that acts on a request does not.
/// </summary>
public sealed class ActivityTrial(ActivityCatalog catalog)
{
    /// <summary>The definition's custom property that holds the test values from Studio's Variables tab, by variable id.</summary>
    private const string TestValues = "VariableTestValues";

    /// <param name="text">The definition, Elsa 3 JSON.</param>
    /// <param name="nodeId">The activity's node id.</param>
    /// <param name="inputs">The inputs that a request would provide.</param>
    /// <param name="image">The image to use for an activity in the body of a fan-out.</param>
    /// <param name="cancellationToken">Cancels the evaluation.</param>
    /// <returns>The result; null if the definition has no such activity.</returns>
    /// <exception cref="WorkflowDefinitionException">The definition cannot be read.</exception>
    public ActivityTrialResult? Run(
        string text, string nodeId, IReadOnlyDictionary<string, JsonElement> inputs, IImageFacts image, CancellationToken cancellationToken)
    {
        var document = WorkflowDocument.Parse(text);
        if (Find(document.Root, nodeId) is not { } node)
            return null;
        var errors = new ValidationErrors();
        var place = IsInBody(document.Root, nodeId) ? ActivityPlace.ImageBody : ActivityPlace.Workflow;
        if (catalog.Find(node, place, errors) is not { } type)
            return Failed(errors);
        var compiled = CompiledInputs.Compile(node, type.Descriptor, document, catalog.Languages, errors);
        if (errors.Messages.Count > 0)
            return Failed(errors);

        try
        {
            var scope = new ExpressionScope
            {
                Variables = Variables(document),
                Inputs = inputs,
                Image = place == ActivityPlace.ImageBody ? image : null,
                Writes = place == ActivityPlace.Workflow ? new Dictionary<string, JsonElement>(StringComparer.Ordinal) : null,
            };
            var values = compiled.Evaluate(scope, cancellationToken);
            var result = new ActivityTrialResult { Inputs = compiled.ForJournal(values) };
            return type.Flow is { } flow ? result with { Step = flow.Try(new ActivityInputs(values)) } : result;
        }
        catch (WorkflowDefinitionException e)
        {
            return new ActivityTrialResult { Failure = e.Message };
        }
    }

    private static ActivityTrialResult Failed(ValidationErrors errors) => new() { Failure = string.Join(" ", errors.Messages) };

    private static Dictionary<string, JsonElement> Variables(WorkflowDocument document)
    {
        var tests = document.Json["customProperties"] is JsonObject custom ? custom[TestValues] as JsonObject : null;
        return document.Variables.Values.ToDictionary(
            variable => variable.Name,
            variable => VariableTypes.Convert(variable, tests?.ContainsKey(variable.Id) == true ? ActivityTree.Value(tests, variable.Id) : variable.Value),
            StringComparer.Ordinal);
    }

    private static ActivityNode? Find(FlowchartNode flowchart, string nodeId)
    {
        foreach (var node in flowchart.Activities)
        {
            if (node.NodeId == nodeId)
                return node;
            foreach (var nested in node.Nested.Values)
                if (Find(nested, nodeId) is { } found)
                    return found;
        }

        return null;
    }

    private bool IsInBody(FlowchartNode flowchart, string nodeId) => flowchart.Activities.Any(node =>
        node.Body is { } body && catalog.Describe(node)?.BodyPort is not null ? Find(body, nodeId) is not null
            : node.Nested.Values.Any(nested => IsInBody(nested, nodeId)));
}

/// <summary>The result of trying one activity.</summary>
public sealed record ActivityTrialResult
{
    /// <summary>The inputs as journals show them.</summary>
    public IReadOnlyDictionary<string, object?> Inputs { get; init; } = new Dictionary<string, object?>();

    /// <summary>What it decided; null if only its inputs were evaluated.</summary>
    public FlowStep? Step { get; init; }

    /// <summary>Why its inputs could not be evaluated.</summary>
    public string? Failure { get; init; }
}
