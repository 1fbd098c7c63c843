using System.Text.Json;
using Darkroom.Engine;
using Darkroom.Engine.Flow;

namespace Darkroom.Activities;

/// <summary>Sets a variable.</summary>
internal sealed class SetVariable : WorkflowActivity, IDescribedActivity
{
    private const string Variable = nameof(Variable);
    private const string Value = nameof(Value);

    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Elsa.SetVariable",
        Place = ActivityPlace.Workflow,
        Category = "Primitives",
        DisplayName = "Set variable",
        Description = "Sets a variable of the workflow to a value of its type.",
        Inputs =
        [
            new InputDescriptor(Variable, typeof(object), null, "The variable to set.") { IsWrapped = false, UiHint = "variable-picker" },
            new InputDescriptor(Value, typeof(object), null, "Its new value.") { UiHint = "singleline" },
        ],
        WritesVariables = true,
    };

    public override bool CommitsWithNext => true;

    public override Task<ActivityResult> ExecuteAsync(WorkflowActivityContext context, CancellationToken cancellationToken)
    {
        var variable = CompiledInputs.VariableId((JsonElement)context.Inputs.Values[Variable]!)!;
        var value = context.Inputs.Values[Value] is JsonElement given ? given : default;
        return Task.FromResult<ActivityResult>(new ActivityResult.Completed
        {
            Variables = new Dictionary<string, JsonElement> { [variable] = value },
        });
    }
}
