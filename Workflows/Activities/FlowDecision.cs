using Darkroom.Engine;
using Darkroom.Engine.Flow;

namespace Darkroom.Activities;

/// <summary>Goes one way or the other.</summary>
internal sealed class FlowDecision : FlowActivity, IDescribedActivity
{
    public static ActivityDescriptor Descriptor { get; } = new()
    {
        TypeName = "Elsa.FlowDecision",
        Place = ActivityPlace.Anywhere,
        Category = "Branching",
        DisplayName = "Decision",
        Description = "Evaluates a condition and goes on by True or by False. Both ways may meet again.",
        Inputs = [Condition],
        Outcomes = ["True", "False"],
    };

    internal static InputDescriptor Condition => new("Condition", typeof(bool), false, "What decides, such as the JavaScript variables.Total > 10.");

    protected override FlowStep Decide(ActivityInputs inputs) => new(inputs.Get<bool>("Condition") ? "True" : "False");
}
