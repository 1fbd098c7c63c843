using Darkroom.Engine;
using Darkroom.Engine.Flow;

namespace Darkroom.Activities;

/// <summary>Continues by one of two outcomes, depending on a condition.</summary>
internal sealed class FlowDecision : FlowActivity, IDescribedActivity
{
    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Elsa.FlowDecision",
        Place = ActivityPlace.Anywhere,
        Category = "Branching",
        DisplayName = "Decision",
        Description = "Evaluates a condition and continues with True or False. The two paths may join again.",
        Inputs = [Condition],
        Outcomes = ["True", "False"],
    };

    internal static InputDescriptor Condition => new("Condition", typeof(bool), false, "The condition, such as the JavaScript variables.Total > 10.");

    protected override FlowStep Decide(ActivityInputs inputs) => new(inputs.Get<bool>("Condition") ? "True" : "False");
}
